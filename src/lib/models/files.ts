/** Files that a person dropped, chose or opened with the app: what they are. */

export type FileKind = 'model' | 'conversations' | 'unknown';

/** By their names: a model comes with JSON files of its own, an exported chat comes alone. */
export function kindOf(files: readonly { readonly name: string }[]): FileKind {
  if (files.some(({ name }) => /\.(gguf|safetensors)$/i.test(name))) return 'model';
  return files.length > 0 && files.every(({ name }) => /\.json$/i.test(name)) ? 'conversations' : 'unknown';
}
