/** Opens weights whatever their format, and says of other files what they are. */
import { FormatError } from './errors';
import { readGguf } from './gguf';
import { GGUF_MAGIC } from './gguf-format';
import { readSafetensors } from './safetensors';
import type { ByteSource } from './source';
import type { WeightsFile, WeightsFormat } from './types';

/** Bytes of a file's beginning that say what it is. */
export const SNIFFED_BYTES = 24;

/** What people open by mistake, by how it begins. */
const MISTAKES: readonly { readonly begins: string; readonly is: string }[] = [
  { begins: 'version https://git-lfs', is: 'a Git LFS pointer, not the file itself. Download the file it stands for.' },
  { begins: 'PK', is: 'a ZIP archive, perhaps a PyTorch checkpoint. Look for safetensors or GGUF files of the model.' },
  { begins: '\x80', is: 'a Python pickle, perhaps a PyTorch checkpoint. Look for safetensors or GGUF files.' },
  { begins: '<', is: 'a web page. Copy the address of the download itself.' },
  { begins: 'lmgg', is: 'in the old GGML format. Look for a GGUF file of the model.' },
  { begins: 'fmgg', is: 'in the old GGML format. Look for a GGUF file of the model.' },
  { begins: 'tjgg', is: 'in the old GGML format. Look for a GGUF file of the model.' },
];

/** What a file is, by its first `SNIFFED_BYTES`; where it is no weights, in words that go on after «this is». */
export function sniff(start: Uint8Array): WeightsFormat | { readonly mistake: string } {
  const text = String.fromCharCode(...start.subarray(0, SNIFFED_BYTES));
  if (start.length >= 4 && new DataView(start.buffer, start.byteOffset).getUint32(0, true) === GGUF_MAGIC)
    return 'gguf';
  // A safetensors file begins with the length of its JSON, which begins after it.
  if (text[8] === '{') return 'safetensors';
  const mistake = MISTAKES.find(({ begins }) => text.startsWith(begins));
  return { mistake: mistake?.is ?? 'neither GGUF nor safetensors.' };
}

/** The header of a GGUF or safetensors file, checked; no tensor is read. */
export async function openWeights(source: ByteSource, signal?: AbortSignal): Promise<WeightsFile> {
  const start = await source.read(0, Math.min(SNIFFED_BYTES, source.size), signal);
  if (start.length < 8) throw new FormatError(source.name, 'truncated', 'file', `it has only ${start.length} bytes.`);
  const format = sniff(start);
  if (format === 'gguf') return readGguf(source, signal);
  if (format === 'safetensors') return readSafetensors(source, signal);
  throw new FormatError(source.name, 'format', 'file', `this is ${format.mistake}`);
}
