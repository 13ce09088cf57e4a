/** Cutting a text by a pattern, with the five behaviours that tokenizer.json knows. */

/**
 * What becomes of a match: it falls away, stands alone, joins the piece before or after it, or joins other matches
 * that it touches.
 */
export const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
export type Behavior = (typeof BEHAVIORS)[number];

interface Piece {
  start: number;
  end: number;
  readonly matched: boolean;
}

/**
 * @param pattern with the flag `g`
 * @param invert what matches counts as a piece, what lies between as the match
 */
export function splitText(text: string, pattern: RegExp, behavior: Behavior, invert = false): string[] {
  const pieces = cut(text, pattern, invert);
  return join(pieces, behavior).map(({ start, end }) => text.slice(start, end));
}

function cut(text: string, pattern: RegExp, invert: boolean): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match[0] === '') continue;
    if (match.index > end) pieces.push({ start: end, end: match.index, matched: invert });
    end = match.index + match[0].length;
    pieces.push({ start: match.index, end, matched: !invert });
  }
  if (end < text.length) pieces.push({ start: end, end: text.length, matched: invert });
  return pieces;
}

function join(pieces: readonly Piece[], behavior: Behavior): readonly Piece[] {
  switch (behavior) {
    case 'Removed':
      return pieces.filter(({ matched }) => !matched);
    case 'Isolated':
      return pieces;
    case 'MergedWithPrevious':
      return merge(pieces, (before, piece) => piece.matched && !before.matched);
    case 'MergedWithNext':
      return merge(pieces, (before, piece) => before.matched && !piece.matched);
    case 'Contiguous':
      return merge(pieces, (before, piece) => before.matched === piece.matched);
  }
}

/** Joins neighbours wherever `joins` says so; `before` is the last piece as the file had it, not what it was joined to. */
function merge(pieces: readonly Piece[], joins: (before: Piece, piece: Piece) => boolean): Piece[] {
  const merged: Piece[] = [];
  pieces.forEach((piece, i) => {
    const before = pieces[i - 1];
    const last = merged.at(-1);
    if (before && last && joins(before, piece)) last.end = piece.end;
    else merged.push({ ...piece });
  });
  return merged;
}
