/** Finds conversations by their titles and by what was said in them. Case, accents and width of letters do not matter. */
import type { Message } from './records';

/** Where words were found in a text. */
export interface Found {
  readonly before: string;
  readonly match: string;
  readonly after: string;
}

/** Letters on each side of what was found. */
const AROUND = 40;

/** A text as it is compared: each of its characters folded by itself, so that places stay the same. */
export function fold(text: string): string {
  return Array.from(text, (character) => {
    const folded = character.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
    // One for one, or a place in the folded text would be another in the text.
    return folded.length === character.length ? folded : character.toLowerCase().slice(0, character.length);
  }).join('');
}

/** Where `folded` (from `fold`) first is in a text, with what is around it. */
export function findIn(text: string, folded: string): Found | undefined {
  if (folded === '') return undefined;
  const at = fold(text).indexOf(folded);
  if (at < 0) return undefined;
  const end = at + folded.length;
  const start = Math.max(0, at - AROUND);
  return {
    before: `${start > 0 ? '…' : ''}${oneLine(text.slice(start, at))}`,
    match: oneLine(text.slice(at, end)),
    after: `${oneLine(text.slice(end, end + AROUND))}${end + AROUND < text.length ? '…' : ''}`,
  };
}

/** The first message in which the words are, and where. */
export function findAmong(
  messages: Iterable<Message>,
  folded: string,
): { readonly message: Message; readonly found: Found } | undefined {
  for (const message of messages) {
    for (const text of textsOf(message)) {
      const found = findIn(text, folded);
      if (found) return { message, found };
    }
  }
  return undefined;
}

function textsOf({ text, files = [] }: Message): string[] {
  return [text, ...files.flatMap((file) => [file.name, file.text])];
}

function oneLine(text: string): string {
  return text.toWellFormed().replace(/\s+/g, ' ');
}
