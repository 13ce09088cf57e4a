/**
 * WESL to WGSL: links a module with its imports, conditions and constants, and maps errors back to the file and line
 * that a person wrote.
 *
 * Everything here is synchronous and knows no GPU. Parsed modules and finished links are kept for the life of the
 * program: a second device, or a second specialisation of a kernel, parses nothing again.
 */
import { RecordResolver, composeResolvers, createConstantsResolver, linkRegistry, withLoggerAsync } from 'wesl';
import type { SrcMap } from 'wesl';
import { ShaderError } from './errors';
import type { ShaderErrorDetails } from './errors';

/** The shader files of one room: 'attention/load.wesl' -> text. */
export type ShaderSources = Readonly<Record<string, string>>;

/** What a link depends on. */
export interface LinkSpec {
  readonly label: string;
  /** Root module, as a path without its ending: 'attention/prefill_rows'. */
  readonly module: string;
  readonly sources: readonly ShaderSources[];
  /** For `@if`. */
  readonly conditions?: Readonly<Record<string, boolean>>;
  /** For `import constants::{HEAD_DIM};` */
  readonly constants?: Readonly<Record<string, number | string>>;
}

export interface LinkedShader {
  readonly key: string;
  readonly label: string;
  readonly module: string;
  readonly code: string;
  readonly map: SrcMap;
}

/** Names a room's files as modules: `shaderSources('attention', import.meta.glob('./*.wesl', …))`. */
export function shaderSources(room: string, files: Readonly<Record<string, string>>): ShaderSources {
  const named = Object.entries(files).map(([path, text]) => [`${room}/${path.replace(/^\.\//, '')}`, text]);
  return Object.freeze(Object.fromEntries(named) as Record<string, string>);
}

// ---- linking ---------------------------------------------------------------------------------------------------

const links = new Map<string, LinkedShader>();

/** Every shader linked so far, on whatever device: to look at, and for other compilers to judge. */
export function linkedShaders(): readonly LinkedShader[] {
  return [...links.values()];
}

const resolvers = new Map<string, RecordResolver>();
const sourceIds = new WeakMap<ShaderSources, number>();
let nextSourceId = 1;

/** What tells one link from another. */
export function linkKey(spec: LinkSpec): string {
  const { module, sources, conditions = {}, constants = {} } = spec;
  return `${module}|${sources.map(sourceId).join(',')}|${canonical(conditions)}|${canonical(constants)}`;
}

function canonical(record: Readonly<Record<string, boolean | number | string>>): string {
  return Object.keys(record)
    .sort()
    .map((name) => `${name}=${record[name]}`)
    .join(',');
}

function sourceId(sources: ShaderSources): number {
  const known = sourceIds.get(sources);
  if (known !== undefined) return known;
  const id = nextSourceId++;
  sourceIds.set(sources, id);
  return id;
}

export function linkShader(spec: LinkSpec): LinkedShader {
  const key = linkKey(spec);
  const known = links.get(key);
  if (known) return known;
  const map = runLinker(spec);
  const linked = { key, label: spec.label, module: spec.module, code: map.dest.text, map };
  links.set(key, linked);
  return linked;
}

function runLinker(spec: LinkSpec): SrcMap {
  if (!spec.sources.some((sources) => `${spec.module}.wesl` in sources)) {
    throw new ShaderError(spec.label, 'this file is not among the sources', nowhere(spec.module));
  }
  const resolver = composeResolvers(resolverOf(spec.sources), createConstantsResolver({ ...spec.constants }));
  let map: SrcMap | undefined;
  let failure: unknown;
  // The linker prints what it throws; the thrown error says it all. The callback runs before the call returns.
  void withLoggerAsync(
    () => undefined,
    async () => {
      try {
        map = linkRegistry({ resolver, rootModuleName: `${spec.module}.wesl`, conditions: { ...spec.conditions } });
      } catch (error) {
        failure = error;
      }
    },
  );
  if (!map) throw linkError(spec, failure);
  return map;
}

function resolverOf(sources: readonly ShaderSources[]): RecordResolver {
  const key = sources.map(sourceId).join(',');
  const known = resolvers.get(key);
  if (known) return known;
  const resolver = new RecordResolver(Object.assign({}, ...sources) as Record<string, string>, { keepComments: false });
  resolvers.set(key, resolver);
  return resolver;
}

// ---- errors ----------------------------------------------------------------------------------------------------

/** What wesl attaches to its errors: a parser error carries the module and its problems, others a location. */
interface WeslFailure {
  readonly message: string;
  readonly cause?: unknown;
  readonly src?: { readonly debugFilePath: string; readonly src: string };
  readonly diagnostics?: readonly { readonly message: string; readonly start: number; readonly severity: string }[];
  readonly weslLocation?: { readonly file: string; readonly offset: number };
}

function linkError(spec: LinkSpec, failure: unknown): ShaderError {
  const { message, cause, src, diagnostics, weslLocation } = failure as WeslFailure;
  const options = { cause: failure };
  const parse = diagnostics?.find(({ severity }) => severity === 'error');
  if (src && parse) {
    return new ShaderError(
      spec.label,
      parse.message,
      locate(fileName(src.debugFilePath), src.src, parse.start),
      options,
    );
  }
  // In a page wesl throws through eval, to give the console a link; a strict page refuses eval, and the words
  // are then in the cause.
  const words = message || (cause instanceof Error ? cause.message : 'does not link');
  if (weslLocation) {
    const file = fileName(weslLocation.file);
    const text = findSource(spec, file);
    return new ShaderError(spec.label, words, locate(file, text, weslLocation.offset), options);
  }
  return new ShaderError(spec.label, words, nowhere(spec.module), options);
}

function findSource(spec: LinkSpec, file: string): string {
  return spec.sources.find((sources) => file in sources)?.[file] ?? '';
}

function fileName(debugPath: string): string {
  return debugPath.replace(/^\.\//, '');
}

function nowhere(module: string): ShaderErrorDetails {
  return { file: `${module}.wesl`, line: 0, column: 0, source: '' };
}

/** Line, column and text of the line at `offset`. */
function locate(file: string, text: string, offset: number): ShaderErrorDetails {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  const lineEnd = text.indexOf('\n', offset);
  return {
    file,
    line: before.split('\n').length,
    column: offset - lineStart + 1,
    source: text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd),
  };
}

/** The compiler's first error, placed in the WESL that the linked code came from. */
export function compileError(linked: LinkedShader, info: GPUCompilationInfo, fallback: string): ShaderError {
  const first = info.messages.find(({ type }) => type === 'error');
  if (!first) return new ShaderError(linked.label, firstLines(fallback), nowhere(linked.module));
  const { src, position } = linked.map.destToSrc(first.offset);
  const file = src.path ? fileName(src.path) : `${linked.module}.wesl (linked)`;
  return new ShaderError(linked.label, first.message, locate(file, src.text, position));
}

/** Dawn repeats the call stack below the message. */
function firstLines(message: string): string {
  return message.split('\n - While')[0]!.trim();
}
