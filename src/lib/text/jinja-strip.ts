/** Python's `strip`, `lstrip` and `rstrip`; the package's take no characters, and templates give them some. */
import { isString, type Value } from './jinja';

export interface Stripped {
  readonly text: string;
  /** Where it began in the text. */
  readonly start: number;
}

/** What is left of a text, or undefined if the method is another. */
export function strip(text: string, method: string, [characters]: readonly Value[]): Stripped | undefined {
  if (method !== 'strip' && method !== 'lstrip' && method !== 'rstrip') return undefined;
  const set = characters && isString(characters) ? characters.value : undefined;
  const falls = (at: number): boolean => {
    const character = text[at] as string;
    return set === undefined ? /\s/u.test(character) : set.includes(character);
  };
  let start = 0;
  let end = text.length;
  if (method !== 'rstrip') while (start < end && falls(start)) start += 1;
  if (method !== 'lstrip') while (end > start && falls(end - 1)) end -= 1;
  return { text: text.slice(start, end), start };
}
