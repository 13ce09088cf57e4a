/** Files as texts that a model can read: what is none, or is too much, is refused in words. */
import { withFiles } from '$lib/conversations/files';
import { MOST_FILES, type TextFile } from '$lib/conversations/records';
import { formatBytes } from '$lib/ui/format';
import { language, t } from '$lib/ui/language.svelte';
import type { Talker } from './answerer.svelte';
import type { Draft } from './drafts.svelte';

/** Bytes: some 250,000 tokens, more than any model here holds. */
const MOST_BYTES = 2 ** 20;
/** Letters: a text that is pasted with more than these lies beside the message, not in it. */
export const LONG_PASTE = 2500;

/** Puts files beside what is being written; those that cannot be are refused, each in words. */
export async function attach(draft: Draft, files: readonly File[], refuse: (error: unknown) => void): Promise<void> {
  for (const file of files) {
    try {
      const read = await readText(file);
      if (draft.files.length >= MOST_FILES) throw new Error(t().attach.tooMany(MOST_FILES));
      draft.attach([...draft.files, read]);
    } catch (error) {
      refuse(error);
    }
  }
}

/** What was pasted becomes a file without one. @returns takes it into what is being written after all */
export function attachPasted(draft: Draft, text: string): () => void {
  const pasted: TextFile = { name: t().attach.pasted, text };
  draft.attach([...draft.files, pasted]);
  return () => {
    draft.attach(draft.files.filter((file) => file !== pasted));
    draft.add(text);
  };
}

/** Counts what is attached. */
export async function measure(draft: Draft, engine: Promise<Pick<Talker, 'count'>>): Promise<void> {
  const { files } = draft;
  if (files.length === 0) return;
  try {
    const content = withFiles({ text: '', files });
    const tokens = await (await engine).count({ messages: [{ role: 'user', content }] });
    if (files === draft.files) draft.tokens = tokens;
  } catch {
    // An engine that cannot count says so when it is asked to answer.
  }
}

/** Of a text as a file has it. */
export function bytesOf({ text }: TextFile): number {
  return new Blob([text]).size;
}

/** Throws an error that says what to do. */
export async function readText(file: File): Promise<TextFile> {
  const { attach } = t();
  if (file.size > MOST_BYTES) {
    throw new Error(
      attach.tooLarge(file.name, formatBytes(file.size, language()), formatBytes(MOST_BYTES, language())),
    );
  }
  const text = decode(new Uint8Array(await file.arrayBuffer()));
  if (text === undefined) throw new Error(attach.noText(file.name));
  return { name: file.name, text: text.replaceAll('\r\n', '\n') };
}

/** By its mark, else UTF-8, else the letters of older Windows, which no file with zeros or control characters has. */
export function decode(bytes: Uint8Array): string | undefined {
  const wide = { 0xfffe: 'utf-16le', 0xfeff: 'utf-16be' }[((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)];
  const text = wide
    ? new TextDecoder(wide).decode(bytes)
    : (asUtf8(bytes) ?? new TextDecoder('windows-1252').decode(bytes));
  // Tabs, ends of lines and of pages, escapes of terminals: the rest has no place in a text.
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return /[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? undefined : text;
}

function asUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
