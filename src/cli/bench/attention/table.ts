/** The attention bench for people: a table a block of cases, what the columns mean, and what is missing. */
import { alignColumns, formatBytes, formatNoise, formatRatio, threeDigits } from '../columns';
import type { Product } from '$lib/engine/bench/product';
import { noiseOf } from '$lib/engine/bench/statistics';
import { blockOf, HEADS_KV, HEADS_Q, type Schedule } from '$lib/engine/bench/attention/cases';
import type { AttentionFigures, Missing, Row } from './rows';

export function formatFigures(figures: AttentionFigures): string {
  const blocks = [...new Set(figures.rows.map(blockOf))].map((block) =>
    figures.rows.filter((row) => blockOf(row) === block),
  );
  return [
    ...explain(figures),
    ...formatProducts(figures.products),
    ...blocks.flatMap((rows) => ['', ...formatBlock(rows)]),
    '',
    ...formatWrong(figures.rows),
    ...formatMissing(figures.missing),
  ].join('\n');
}

/** One line a case, while the bench runs. */
export function formatProgress(rows: readonly Row[]): string {
  const [first] = rows;
  if (!first) return 'nothing that fits the budget';
  const standard = first.againstStandard ? `, standard / it ${formatRatio(first.againstStandard)}` : '';
  return `${first.kernel} ${threeDigits(first.ms.median)} ms${standard}`;
}

function explain({ clock, clockReason, onnxRuntime, seconds }: AttentionFigures): string[] {
  return [
    `Attention, causal, ${HEADS_Q} query heads on ${HEADS_KV} key heads, one sequence; ${seconds.toFixed(0)} s in all.`,
    `ms          median of replays by ${clock === 'gpu' ? 'GPU timestamps' : 'the wall clock'} (${clockReason})`,
    '±           half the distance between the quartiles; it holds for GFLOP/s, GB/s and shares too',
    'GFLOP/s     4 x heads x D for each pair of query and key that the mask lets through, whoever computes more',
    'of product  share of our best matrix product in the same dtype, listed below',
    'GB/s        K and V once, by the time; replays find in the cache what fits it',
    'extra       most bytes in use beyond q, k, v and out, as the arena counts them',
    'x standard  time of standardAttention by this one: above 1, this one is faster',
    `x ORT       the same for ONNX Runtime's WebGPU provider (${onnxRuntime}): its attention kernels alone by GPU`,
    '            timestamps, and its whole operator, which also moves K and V to its cache, both sides by the wall clock',
    '*           what flashAttention runs here, chosen by the self-test',
    '!           computes wrongly on this adapter, and is timed for comparison alone; the last lines say by how much',
  ];
}

function formatProducts(products: readonly Product[]): string[] {
  if (products.length === 0) return [];
  const rows = products.map(({ dtype, name, ms, gflops }) => [
    dtype,
    name,
    threeDigits(ms.median),
    formatNoise(noiseOf(ms)),
    threeDigits(gflops),
  ]);
  return ['', ...alignColumns([['product', '', 'ms', '±', 'GFLOP/s'], ...rows], [0, 1])];
}

// ---- a block ---------------------------------------------------------------------------------------------------

const SHARE: Readonly<Record<Schedule, string>> = { prefill: 'of product', decode: 'GB/s' };

function formatBlock(rows: readonly Row[]): string[] {
  const { schedule } = rows[0]!;
  const size = schedule === 'prefill' ? 'S' : 'keys';
  const columns = ['kernel', 'ms', '±', 'GFLOP/s', SHARE[schedule], 'extra', 'x standard', 'x ORT kernels'];
  const lines = rows.map((row, n) => formatRow(row, rows[n - 1]?.keys !== row.keys));
  return [blockOf(rows[0]!), ...alignColumns([[size, ...columns, 'x ORT operator'], ...lines], [1])];
}

/** `first`: of its size, which is then named. */
function formatRow(row: Row, first: boolean): string[] {
  const { gigabytesPerSecond, ofProduct, againstStandard, againstOnnxKernels, againstOnnxOperator } = row;
  return [
    first ? String(row.keys) : '',
    `${row.role === 'flash' ? '*' : row.wrong ? '!' : ' '} ${row.kernel}`,
    threeDigits(row.ms.median),
    formatNoise(noiseOf(row.ms)),
    threeDigits(row.gflops),
    gigabytesPerSecond !== undefined
      ? threeDigits(gigabytesPerSecond)
      : ofProduct !== undefined
        ? `${(ofProduct * 100).toFixed(0)} %`
        : '',
    row.extraBytes === undefined ? '' : formatBytes(row.extraBytes),
    ...[againstStandard, againstOnnxKernels, againstOnnxOperator].map((ratio) => (ratio ? formatRatio(ratio) : '')),
  ];
}

/** A line a block: the peer is wrong in all of it, or in none. */
function formatWrong(rows: readonly Row[]): string[] {
  const wrong = rows.filter((row) => row.wrong);
  return [...new Set(wrong.map(blockOf))].map((block) => {
    const errors = wrong.filter((row) => blockOf(row) === block).map(({ error }) => error);
    const worst = errors.some(Number.isNaN)
      ? 'gives no numbers'
      : `is off by up to ${Math.max(...errors).toExponential(1)}`;
    return `Wrong: ONNX Runtime in ${block}: ${worst}.`;
  });
}

/** What has the same reason shares a line. */
function formatMissing(missing: readonly Missing[]): string[] {
  if (missing.length === 0) return ['Nothing was left out.'];
  const whys = [...new Set(missing.map(({ why }) => why))];
  const together = (why: string) => missing.filter((one) => one.why === why).map(({ what }) => what);
  return ['Left out:', ...whys.map((why) => `  ${together(why).join('; ')}: ${why}`)];
}
