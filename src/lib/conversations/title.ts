/** A conversation's name, from its first words. */

/** Letters, of a title made here. */
const LONG = 60;

/** The first line with words in it, without Markdown's marks, cut between words. */
export function titleFrom(text: string): string {
  const line = text.split('\n').find((part) => /[\p{L}\p{N}]/u.test(part)) ?? '';
  const plain = line
    .replace(/^[\s#>*+-]+/, '')
    .replace(/[`*_~]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  const letters = [...plain];
  if (letters.length <= LONG) return plain;
  const cut = letters.slice(0, LONG).join('');
  const space = cut.lastIndexOf(' ');
  // Scripts without spaces are cut anywhere.
  return `${space > LONG / 2 ? cut.slice(0, space) : cut} …`;
}
