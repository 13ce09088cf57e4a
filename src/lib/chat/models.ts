/** Models that conversations can be had with, and how conversations name them. */
import type { ModelState } from '$lib/store';

/** A model that a conversation can be had with. */
export interface ModelEntry {
  /** As `ChatSettings.model` names it. */
  readonly url: string;
  readonly name: string;
  readonly bytes: number;
  /** Where its bytes are, if not where its name says: handles on what another store holds. */
  readonly files?: readonly File[];
}

/** Before the id of a model in the store; any other name of a model is an address. */
const STORED = 'stored:';

export function storedName(id: string): string {
  return `${STORED}${id}`;
}

/** The id in the store, of a model that is there. */
export function storedId(name: string): string | undefined {
  return name.startsWith(STORED) ? name.slice(STORED.length) : undefined;
}

export function entryOf({ id, name, bytes }: ModelState): ModelEntry {
  return { url: storedName(id), name, bytes };
}

/** What to call a model of which nothing is known but how it is named: the last part of its address, or a file's name. */
export function shownName(name: string): string {
  const local = /^stored:local:(.+):[^:]*$/.exec(name)?.[1];
  const last =
    local ??
    name
      .replace(/^stored:/, '')
      .split('/')
      .at(-1)!;
  return last.replace(/\.(gguf|safetensors)$/i, '');
}
