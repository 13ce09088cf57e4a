/**
 * Loads `@mlc-ai/web-xgrammar` in a page or a worker. It comes as a script of the kind that finds out where it is: as a
 * module it leaves a global, through some bundlers it exports. Under Node: xgrammar-node.ts.
 */
export type Xgrammar = typeof import('@mlc-ai/web-xgrammar');

export async function loadXgrammar(): Promise<Xgrammar> {
  const loaded = await import('@mlc-ai/web-xgrammar');
  if ('GrammarCompiler' in loaded) return loaded;
  return (globalThis as unknown as { xgrammar: Xgrammar }).xgrammar;
}
