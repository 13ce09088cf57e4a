/**
 * Covering arrays: few rows that still bring every value of every factor together with every value of every other.
 *
 * Most bugs need one or two circumstances to show (D 59 and a window, bf16 and one query). A grid of ten factors has
 * tens of thousands of combinations, but a few hundred rows meet every pair of values; the largest two factors set
 * how many. The generator is greedy (the idea of AETG: Cohen, Dalal, Fredman, Patton, «The AETG System», IEEE
 * Transactions on Software Engineering 23, 1997) with its dice left out: the same factors always give the same rows.
 */

export type Factors = Readonly<Record<string, readonly unknown[]>>;

/** One choice of every factor. */
export type Row<F extends Factors> = { readonly [K in keyof F]: F[K][number] };

/** Whether a row, or the part of one that is chosen so far, can exist. Factors not chosen yet are undefined. */
export type IsPossible<F extends Factors> = (row: Partial<Row<F>>) => boolean;

/** Every possible combination, first factor slowest. */
export function* product<F extends Factors>(factors: F, isPossible: IsPossible<F> = () => true): Generator<Row<F>> {
  const names = Object.keys(factors);
  const row: Record<string, unknown> = {};
  function* choose(depth: number): Generator<Row<F>> {
    if (depth === names.length) {
      yield { ...row } as Row<F>;
      return;
    }
    const name = names[depth]!;
    for (const value of factors[name]!) {
      row[name] = value;
      if (isPossible(row as Partial<Row<F>>)) yield* choose(depth + 1);
      delete row[name];
    }
  }
  yield* choose(0);
}

/** Rows that cover every pair of values that can stand in one row. */
export function coveringArray<F extends Factors>(factors: F, isPossible: IsPossible<F> = () => true): Row<F>[] {
  return new Builder(factors, (choice) => isPossible(asRow(factors, choice))).build();
}

/** Of rows, the first ones that between them hold every value of every factor that any of them holds. */
export function everyValue<R extends object>(rows: readonly R[]): R[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const values = Object.entries(row).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    const isNew = values.some((value) => !seen.has(value));
    for (const value of values) seen.add(value);
    return isNew;
  });
}

/** The pairs that `rows` leave out, as text: empty for a covering array. */
export function missingPairs<F extends Factors>(
  factors: F,
  rows: readonly Row<F>[],
  isPossible: IsPossible<F> = () => true,
): string[] {
  const wanted = new Map<string, { first: Choice; second: Choice }>();
  for (const [first, second] of allPairs(factors)) wanted.set(pairKey(first, second), { first, second });
  for (const row of rows)
    for (const [first, second] of pairsOf(choiceOf(factors, row))) wanted.delete(pairKey(first, second));
  return [...wanted.values()]
    .filter(({ first, second }) => completes(factors, isPossible, [first, second]))
    .map(({ first, second }) => `${describe(factors, first)} with ${describe(factors, second)}`);
}

// ---- choices: factors and values by number ---------------------------------------------------------------------

/** Value number `value` of factor number `factor`. */
interface Choice {
  readonly factor: number;
  readonly value: number;
}

function asRow<F extends Factors>(factors: F, choices: readonly Choice[]): Partial<Row<F>> {
  const names = Object.keys(factors);
  const entries = choices.map(({ factor, value }) => [names[factor], factors[names[factor]!]![value]] as const);
  return Object.fromEntries(entries) as Partial<Row<F>>;
}

function choiceOf<F extends Factors>(factors: F, row: Row<F>): Choice[] {
  return Object.keys(factors).map((name, factor) => ({ factor, value: factors[name]!.indexOf(row[name]) }));
}

function* allPairs(factors: Factors): Generator<[Choice, Choice]> {
  const sizes = Object.values(factors).map((values) => values.length);
  for (let a = 0; a < sizes.length; a++) {
    for (let b = a + 1; b < sizes.length; b++) {
      for (let x = 0; x < sizes[a]!; x++) {
        for (let y = 0; y < sizes[b]!; y++)
          yield [
            { factor: a, value: x },
            { factor: b, value: y },
          ];
      }
    }
  }
}

function* pairsOf(choices: readonly Choice[]): Generator<[Choice, Choice]> {
  for (let a = 0; a < choices.length; a++) {
    for (let b = a + 1; b < choices.length; b++) yield [choices[a]!, choices[b]!];
  }
}

function pairKey(a: Choice, b: Choice): string {
  const [first, second] = a.factor < b.factor ? [a, b] : [b, a];
  return `${first.factor}.${first.value}/${second.factor}.${second.value}`;
}

function describe(factors: Factors, { factor, value }: Choice): string {
  const name = Object.keys(factors)[factor]!;
  return `${name} = ${JSON.stringify(factors[name]![value])}`;
}

/** Whether some possible row contains `fixed`. */
function completes<F extends Factors>(factors: F, isPossible: IsPossible<F>, fixed: readonly Choice[]): boolean {
  const names = Object.keys(factors);
  const narrowed = Object.fromEntries(
    names.map((name, factor) => {
      const choice = fixed.find((each) => each.factor === factor);
      return [name, choice ? [factors[name]![choice.value]] : factors[name]!];
    }),
  ) as unknown as F;
  return !product(narrowed, isPossible).next().done;
}

// ---- the greedy search -----------------------------------------------------------------------------------------

class Builder<F extends Factors> {
  private readonly sizes: readonly number[];
  private readonly uncovered = new Map<string, [Choice, Choice]>();
  /**
   * How often each pair has come. Once all small factors are covered among themselves, hundreds of rows are still to
   * come for the large ones: taking the rarest pairs keeps the small factors from marching in step through them.
   */
  private readonly seen = new Map<string, number>();

  constructor(
    private readonly factors: F,
    private readonly isPossible: (choices: readonly Choice[]) => boolean,
  ) {
    this.sizes = Object.values(factors).map((values) => values.length);
    for (const [first, second] of allPairs(factors)) this.uncovered.set(pairKey(first, second), [first, second]);
  }

  build(): Row<F>[] {
    const rows: Row<F>[] = [];
    for (let seed = this.next(); seed; seed = this.next()) {
      const row = this.complete(seed);
      // A pair that fits into no row is one that the constraints forbid: nothing to cover.
      if (!row) this.uncovered.delete(pairKey(...seed));
      else rows.push(this.take(row));
    }
    return rows;
  }

  private next(): [Choice, Choice] | undefined {
    return this.uncovered.values().next().value;
  }

  /** The possible row around `chosen` that greedily covers the most new pairs; backtracks out of dead ends. */
  private complete(chosen: readonly Choice[]): Choice[] | undefined {
    if (!this.isPossible(chosen)) return undefined;
    const factor = this.sizes.findIndex((_, index) => !chosen.some((choice) => choice.factor === index));
    if (factor < 0) return [...chosen].sort((a, b) => a.factor - b.factor);
    for (const candidate of this.ranked(factor, chosen)) {
      const row = this.complete([...chosen, candidate]);
      if (row) return row;
    }
    return undefined;
  }

  private ranked(factor: number, chosen: readonly Choice[]): Choice[] {
    return Array.from({ length: this.sizes[factor]! }, (_, value) => ({ factor, value }))
      .map((candidate) => {
        const keys = chosen.map((choice) => pairKey(choice, candidate));
        const gain = keys.filter((key) => this.uncovered.has(key)).length;
        const seen = keys.reduce((sum, key) => sum + (this.seen.get(key) ?? 0), 0);
        return { candidate, gain, seen };
      })
      .sort((a, b) => b.gain - a.gain || a.seen - b.seen || a.candidate.value - b.candidate.value)
      .map(({ candidate }) => candidate);
  }

  private take(row: readonly Choice[]): Row<F> {
    for (const [first, second] of pairsOf(row)) {
      const key = pairKey(first, second);
      this.uncovered.delete(key);
      this.seen.set(key, (this.seen.get(key) ?? 0) + 1);
    }
    return asRow(this.factors, row) as Row<F>;
  }
}
