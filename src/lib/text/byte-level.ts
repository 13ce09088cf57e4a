/**
 * GPT-2's alphabet: byte-level vocabularies spell each byte as one visible character, so that any text can be written
 * without an unknown token: space is `Ġ`, newline `Ċ`, and é, two bytes in UTF-8, is `Ã©`.
 */

/** Bytes that stand for themselves; the others get the characters from U+0100 on, in order. */
const VISIBLE: readonly (readonly [number, number])[] = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
];

/** byte -> the character that spells it */
export const SPELLING: readonly string[] = spellings();
/** code unit of a spelling -> its byte, or -1 */
const BYTE = invert(SPELLING);

/** The byte that a character spells, or -1. */
export function spelledByte(codeUnit: number): number {
  return BYTE[codeUnit] ?? -1;
}

function spellings(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = VISIBLE.some(([first, last]) => byte >= first && byte <= last);
    return String.fromCharCode(visible ? byte : next++);
  });
}

function invert(spelling: readonly string[]): Int16Array {
  const table = new Int16Array(0x144).fill(-1);
  spelling.forEach((character, byte) => (table[character.charCodeAt(0)] = byte));
  return table;
}
