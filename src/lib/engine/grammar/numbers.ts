/** Numbers within bounds as grammars: a range of whole numbers is a few patterns of digits. */
import { either, literal } from './ebnf';
import { SchemaError } from './errors';

export interface NumberBounds {
  /** Both included; Infinity where there is none. */
  readonly min: number;
  readonly max: number;
  /** Not included; Infinity where there is none. */
  readonly above: number;
  readonly below: number;
  readonly multipleOf: number | undefined;
}

/** Digits that a double has for certain, and what counts as no bound. */
const DIGITS = 15;
const HUGE = 10 ** DIGITS;
/** Decimals beyond those of the bounds. */
const MORE_DECIMALS = 2;
const MOST_DECIMALS = 6;
/** Multiples that are listed one by one. */
const MOST_LISTED = 512;

export function isBounded({ min, max, above, below, multipleOf }: NumberBounds): boolean {
  return min > -Infinity || max < Infinity || above > -Infinity || below < Infinity || multipleOf !== undefined;
}

/** @param whole no decimals */
export function numberRange(bounds: NumberBounds, whole: boolean, path: string): string {
  const { multipleOf } = bounds;
  if (multipleOf !== undefined) return multiples(bounds, multipleOf, path);
  const decimals = whole ? 0 : Math.min(MOST_DECIMALS, decimalsOf(bounds) + MORE_DECIMALS);
  const alternatives = Array.from({ length: decimals + 1 }, (_, places) => fixed(bounds, places)).flat();
  if (alternatives.length === 0) throw new SchemaError(path, 'no number that can be written is within its bounds');
  return either(alternatives);
}

function multiples(bounds: NumberBounds, step: number, path: string): string {
  const places = decimalPlaces(step);
  // 0.01 and the like only say how many decimals there may be.
  if (step > 0 && 10 ** -places === step && places > 0 && places <= MOST_DECIMALS) {
    return either(Array.from({ length: places + 1 }, (_, n) => fixed(bounds, n)).flat());
  }
  const [low, high] = scaled(bounds, 0);
  if (!Number.isSafeInteger(step) || step <= 0) throw new SchemaError(path, `multiples of ${step} cannot be held`);
  if (step === 1) return numberRange({ ...bounds, multipleOf: undefined }, true, path);
  const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
  if (last - first >= 0 && last - first < MOST_LISTED) {
    return either(Array.from({ length: last - first + 1 }, (_, n) => literal(String((first + n) * step + 0))));
  }
  if (/^10+$/.test(String(step)) && last >= first) {
    const zeros = literal(String(step).slice(1));
    const [from, to] = [Math.max(first, -HUGE / step), Math.min(last, HUGE / step)];
    const tens = [
      ...(to > 0 ? signed(Math.max(from, 1), to, 0) : []),
      ...(from < 0 ? signed(from, Math.min(to, -1), 0) : []),
    ];
    return either([...(from <= 0 && to >= 0 ? [literal('0')] : []), ...tens.map((one) => `${one} ${zeros}`)]);
  }
  throw new SchemaError(path, `multiples of ${step} can be held between bounds alone: give a minimum and a maximum`);
}

/** Numbers with so many decimals, as alternatives. */
function fixed(bounds: NumberBounds, places: number): string[] {
  const [low, high] = scaled(bounds, places);
  return low > high ? [] : signed(low, high, places);
}

/** The bounds as whole numbers, times 10^places. */
function scaled({ min, max, above, below }: NumberBounds, places: number): readonly [number, number] {
  const factor = 10 ** places;
  const most = HUGE - 1;
  const times = (bound: number): number => Number((bound * factor).toPrecision(DIGITS));
  const low = Math.max(Math.ceil(times(min)), Math.floor(times(above)) + 1, -most);
  const high = Math.min(Math.floor(times(max)), Math.ceil(times(below)) - 1, most);
  return [low, high];
}

function signed(low: number, high: number, places: number): string[] {
  const positive = high >= 0 ? patterns(Math.max(low, 0), high) : [];
  const negative = low < 0 ? patterns(Math.max(-high, 1), -low) : [];
  return [
    ...positive.map((digits) => spelt(digits, places)),
    ...negative.map((digits) => `"-" ${spelt(digits, places)}`),
  ];
}

// ---- patterns of digits ----------------------------------------------------------------------------------------

type Digit = readonly [from: number, to: number];

/** Whole numbers from 0 up: for each alternative the digits that may stand in each place. */
function patterns(low: number, high: number): Digit[][] {
  const all: Digit[][] = [];
  for (let length = String(low).length; length <= String(high).length; length++) {
    const from = Math.max(low, length === 1 ? 0 : 10 ** (length - 1));
    const to = Math.min(high, 10 ** length - 1);
    all.push(...sameLength(String(from), String(to)));
  }
  return all;
}

function sameLength(low: string, high: string): Digit[][] {
  if (low === '') return [[]];
  const [first, last] = [Number(low[0]), Number(high[0])];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  if (first === last) return sameLength(lowRest, highRest).map((rest) => [[first, first], ...rest]);
  const full = Array.from({ length: lowRest.length }, (): Digit => [0, 9]);
  const lowFull = /^0*$/.test(lowRest);
  const highFull = /^9*$/.test(highRest);
  const from = lowFull ? first : first + 1;
  const to = highFull ? last : last - 1;
  return [
    ...(lowFull
      ? []
      : sameLength(lowRest, '9'.repeat(lowRest.length)).map((rest): Digit[] => [[first, first], ...rest])),
    ...(from <= to ? [[[from, to] as Digit, ...full]] : []),
    ...(highFull
      ? []
      : sameLength('0'.repeat(highRest.length), highRest).map((rest): Digit[] => [[last, last], ...rest])),
  ];
}

/** With the point before the last `places` digits. */
function spelt(digits: readonly Digit[], places: number): string {
  const zeros = Array.from({ length: Math.max(0, places + 1 - digits.length) }, (): Digit => [0, 0]);
  const all = [...zeros, ...digits];
  const whole = all.slice(0, all.length - places).map(digit);
  return (places === 0 ? whole : [...whole, '"."', ...all.slice(all.length - places).map(digit)]).join(' ');
}

function digit([from, to]: Digit): string {
  return from === to ? literal(String(from)) : `[${from}-${to}]`;
}

function decimalsOf({ min, max, above, below }: NumberBounds): number {
  return Math.max(...[min, max, above, below].filter(Number.isFinite).map(decimalPlaces), 0);
}

function decimalPlaces(value: number): number {
  const [, decimals = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(String(value)) ?? [];
  return Math.max(0, decimals.length - Number(exponent));
}
