/**
 * What of the app is kept for offline use at once, what when it is first used, and what never. Pure, for the service
 * worker and its tests.
 */

/**
 * Bytes of programs and models, and the scripts that go with them: kept when somebody uses them, since most visits never
 * do. llama.cpp serves where there is no GPU; xgrammar serves programs that ask for answers of a form, which the chat never
 * does. All that the chat itself offers is kept at once: formulas with their fonts, every language of code and of the page.
 */
const HEAVY = /\.(wasm|gguf|safetensors)$|\/(wllama|xgrammar)-[\w-]+\.js$/;

export interface AppFiles {
  /** What Vite built: names carry their content. */
  readonly build: readonly string[];
  /** What ships as it is. */
  readonly files: readonly string[];
  /** Pages. */
  readonly prerendered: readonly string[];
}

/** Pictures that only a dialog of the browser shows. */
const NEVER = /\.map$|\/screenshots\//;

/** Paths that a new version fetches before it takes over. */
export function precached({ build, files, prerendered }: AppFiles): string[] {
  const all = [...build, ...files, ...prerendered];
  return [...new Set(all)].filter((path) => !HEAVY.test(path) && !NEVER.test(path));
}

/** Whether a file of the app is kept from its first use on. */
export function keptOnUse(path: string): boolean {
  return HEAVY.test(path);
}

/** First and last byte that a `Range` header asks for, of so many; undefined: all of them; 'outside': there are not so many. */
export function byteRange(
  header: string | null,
  size: number,
): { readonly first: number; readonly last: number } | 'outside' | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  // «-500» are the last 500.
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return first > last || first >= size ? 'outside' : { first, last };
}
