/**
 * Bounds of grammars that clients write themselves. xgrammar reads them by recursion, and one that is nested a few hundred
 * levels deep breaks its memory: every grammar after it fails, for everybody. Counters in counters, and rules by the ten
 * thousand, take it minutes. (0.1.27; docs/log.md has the figures.)
 */
import { SchemaError } from './errors';

const MOST_CHARS = 65_536;
const MOST_RULES = 2_000;
/** Brackets in one another. */
const DEEPEST = 64;
/** Times that something may come by counters in one another; one alone may say what it likes. */
const MOST_TIMES = 10_000;

/** Texts, classes and comments, in which nothing is a bracket; brackets; counters; beginnings of rules. */
const PIECES = /"(?:\\.|[^"\\])*"?|\[(?:\\.|[^\]\\])*\]?|#[^\n]*|\(|\)|\{\s*(\d+)\s*(?:,\s*(\d*)\s*)?\}|::=/gs;

/** Throws a SchemaError that says what is too much. */
export function requireBounded(ebnf: string, path: string): void {
  if (ebnf.length > MOST_CHARS) throw new SchemaError(path, `is longer than ${MOST_CHARS} characters`);
  let rules = 0;
  /** At each level of brackets, how often something inside may come; the last one is of what stands there now. */
  const times = [1];
  /** Of the piece before a counter. */
  let before = 1;
  for (const [piece, least, most] of ebnf.matchAll(PIECES)) {
    if (piece === '::=') {
      rules += 1;
      times.splice(0, times.length, 1);
    } else if (piece === '(') {
      times.push(1);
    } else if (piece === ')') {
      before = times.length > 1 ? times.pop()! : 1;
      raise(times, before);
      continue;
    } else if (least !== undefined) {
      const all = before * Math.max(1, Number(most === undefined || most === '' ? least : most));
      if (before > 1 && all > MOST_TIMES) {
        throw new SchemaError(path, `has counters in counters for more than ${MOST_TIMES} times`);
      }
      raise(times, all);
    }
    before = 1;
    if (times.length > DEEPEST) throw new SchemaError(path, `is nested more than ${DEEPEST} brackets deep`);
  }
  if (rules > MOST_RULES) throw new SchemaError(path, `has more than ${MOST_RULES} rules`);
}

function raise(times: number[], to: number): void {
  times[times.length - 1] = Math.max(times.at(-1)!, to);
}
