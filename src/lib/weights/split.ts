/**
 * A GGUF model in several files, as llama.cpp's `gguf-split` makes them: `name-00001-of-00003.gguf` and so on. The first
 * has the metadata; each has tensors, and says which part it is.
 */
import { FormatError } from './errors';
import { joinWeights } from './join';
import { MAX_PARTS } from './limits';
import type { WeightsFile } from './types';

const PART_KEY = 'split.no';
const PARTS_KEY = 'split.count';
const TENSORS_KEY = 'split.tensors.count';
const NAME = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

export interface SplitPart {
  /** The path without the part's number and the ending: the same for all of them. */
  readonly stem: string;
  /** From 1. */
  readonly part: number;
  readonly count: number;
}

/** What a file's name says of its part; undefined: it is no part's name. */
export function splitPart(path: string): SplitPart | undefined {
  const [, stem, digits, of] = NAME.exec(path) ?? [];
  const [part, count] = [Number(digits), Number(of)];
  return stem !== undefined && part >= 1 && part <= count ? { stem, part, count } : undefined;
}

/** Names of all parts beside this one, or undefined where the file is a model by itself. Throws a FormatError. */
export function splitNames({ metadata, files }: WeightsFile): readonly string[] | undefined {
  const parts = metadata.count(PARTS_KEY, 1);
  if (parts <= 1) return undefined;
  const file = files[0]!.name;
  if (parts > MAX_PARTS) {
    throw new FormatError(file, 'limit', PARTS_KEY, `${parts} parts are more than the ${MAX_PARTS} that can be read.`);
  }
  const name = plainName(file);
  const named = splitPart(name);
  if (named?.count !== parts) {
    const wanted = `${nameOf('NAME', 0, parts)} to ${nameOf('NAME', parts - 1, parts)}`;
    const message = `it is one of ${parts} parts, which are found by names such as ${wanted}. Give it its own name back.`;
    throw new FormatError(file, 'missing', PARTS_KEY, message);
  }
  return splitPaths(named);
}

/** Paths of all parts of the model that this is a part of. */
export function splitPaths({ stem, count }: SplitPart): string[] {
  return Array.from({ length: count }, (_, part) => nameOf(stem, part, count));
}

function nameOf(stem: string, part: number, parts: number): string {
  const five = (value: number): string => String(value).padStart(5, '0');
  return `${stem}-${five(part + 1)}-of-${five(parts)}.gguf`;
}

/** The last part of a path or an address. */
export function plainName(path: string): string {
  return (
    path
      .replace(/[?#].*$/, '')
      .split(/[\\/]/)
      .at(-1) ?? path
  );
}

/** All parts, in order, as one. Throws a FormatError where one is not what its name says, or tensors are missing. */
export function joinSplit(parts: readonly WeightsFile[]): WeightsFile {
  for (const [part, { metadata, files, format }] of parts.entries()) {
    const file = files[0]!.name;
    const [says, of] = [metadata.count(PART_KEY, -1), metadata.count(PARTS_KEY, 1)];
    if (format === 'gguf' && says === part && of === parts.length) continue;
    const message = `it should be part ${part + 1} of ${parts.length}, and says that it is part ${says + 1} of ${of}.`;
    throw new FormatError(file, 'malformed', PART_KEY, message);
  }
  const joined = joinWeights(parts);
  const tensors = joined.metadata.count(TENSORS_KEY, joined.tensors.size);
  if (tensors === joined.tensors.size) return joined;
  const message = `the model has ${tensors} tensors, its ${parts.length} parts have ${joined.tensors.size}.`;
  throw new FormatError(joined.files[0]!.name, 'missing', TENSORS_KEY, message);
}
