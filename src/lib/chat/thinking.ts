/** What a model thought, apart from what it answered: by the marks that models put around their thoughts. */

export interface Parts {
  /** undefined: it did not think. */
  readonly thought: string | undefined;
  readonly answer: string;
  /** The thought has not come to its end. */
  readonly open: boolean;
}

const MARKS = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['[THINK]', '[/THINK]'],
] as const;

export function partsOf(text: string): Parts {
  const begun = text.trimStart();
  for (const [start, end] of MARKS) {
    // The prompt of some models ends with the first mark, so that their text begins inside the thought.
    const inside = begun.startsWith(start) ? begun.slice(start.length) : begun;
    const close = inside.indexOf(end);
    if (close >= 0 && (inside !== begun || !begun.slice(0, close).includes('`'))) {
      return {
        thought: inside.slice(0, close).trim(),
        answer: inside.slice(close + end.length).trimStart(),
        open: false,
      };
    }
    if (inside !== begun) return { thought: inside.trimStart(), answer: '', open: true };
    // The mark itself is still coming.
    if (begun !== '' && start.startsWith(begun)) return { thought: undefined, answer: '', open: false };
  }
  return { thought: undefined, answer: begun, open: false };
}
