/**
 * `fireside bench layouts`: a product with weights of each type, of one token and of many: what a layout's decoding costs,
 * and what its size gains.
 */
import { parseArgs } from 'node:util';
import type { Gpu } from '$gpu';
import { blockMapOf } from '$gpu/formats/block_maps';
import { tensorTypeInfo, type TensorType } from '$gpu/formats/blocks';
import { bytesPerWeight, layoutOf, Matrix, MATRIX_TYPES, MatrixWriter } from '$gpu/quant';
import { UsageError } from '../command';
import type { Bench } from './bench';
import { alignColumns, threeDigits } from './columns';
import { timeProduct, type ProductFigures } from './model/products';
import { withSomeProduct } from '$lib/engine/bench/product';
import { chooseClock, type Clock } from '$lib/engine/bench/stopwatch';

const PROMPT = 64;
const PATIENCE_MS = 1500;

interface LayoutFigures {
  readonly type: TensorType;
  readonly bytesInFile: number;
  readonly bytesOnGpu: number;
  readonly token: ProductFigures;
  readonly prompt: ProductFigures;
}

export const layoutsBench: Bench = {
  summary: 'products with weights of each type: their size, a token, a prompt',
  options: ['--side 2048   rows and columns, a multiple of 256', '--types Q8_0,Q4_K   default: all'],

  async run(gpu, args, save) {
    const { side, types } = settingsFrom(args);
    const { clock, reason } = await withSomeProduct(gpu, (encode) => chooseClock(gpu, encode));
    const figures: LayoutFigures[] = [];
    for (const type of types) {
      figures.push(await timeLayout(gpu, type, side, clock));
      save(figures);
    }
    return { table: `${formatFigures(figures, side)}\n\nclock: ${clock}, since ${reason}`, figures };
  },
};

function settingsFrom(args: string[]): { side: number; types: readonly TensorType[] } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args, options: { side: text, types: text } });
  const side = Number(values.side ?? 2048);
  if (!(side > 0 && side % 256 === 0)) throw new UsageError(`--side wants a multiple of 256, not «${values.side}»`);
  const names = values.types?.split(',') ?? MATRIX_TYPES;
  const types = names.map((name) => MATRIX_TYPES.find((type) => type === name));
  const unknown = names.find((_, at) => types[at] === undefined);
  if (unknown !== undefined)
    throw new UsageError(`--types knows no «${unknown}»; there are ${MATRIX_TYPES.join(', ')}`);
  return { side, types: types.filter((type) => type !== undefined) };
}

async function timeLayout(gpu: Gpu, type: TensorType, side: number, clock: Clock): Promise<LayoutFigures> {
  const layout = layoutOf(type)!;
  const matrix = new Matrix(gpu, side, [{ layout, rows: side }]);
  const writer = new MatrixWriter(gpu, matrix, type, 0, side);
  writer.push(someBytes(type, side * side));
  writer.finish();
  const one = { name: type, matrix, mode: 'plain', calls: 1, prompts: true } as const;
  const watch = { clock, patience: PATIENCE_MS };
  try {
    const { blockElements, blockBytes } = tensorTypeInfo(type);
    return {
      type,
      bytesInFile: blockBytes / blockElements,
      bytesOnGpu: bytesPerWeight(layout),
      token: await timeProduct(gpu, one, 1, watch),
      prompt: await timeProduct(gpu, one, PROMPT, watch),
    };
  } finally {
    matrix.destroy();
  }
}

/** Numbers and scales of a usual size: a processor takes its time with those that are almost zero. */
function someBytes(type: TensorType, elements: number): Uint8Array {
  const { blockElements, blockBytes } = tensorTypeInfo(type);
  const bytes = Uint8Array.from({ length: (elements / blockElements) * blockBytes }, (_, at) => (at * 37) % 251);
  const heads = blockMapOf(type)?.heads.map(({ at }) => at + 1) ?? [blockBytes - 1];
  for (let block = 0; block < bytes.length; block += blockBytes) for (const at of heads) bytes[block + at] = 0x2c;
  return bytes;
}

function formatFigures(figures: readonly LayoutFigures[], side: number): string {
  const head = [
    'type',
    'layout',
    'bytes in file',
    'on the GPU',
    '1 token, ms',
    'GB/s',
    `${PROMPT} tokens, ms`,
    'GFLOP/s',
  ];
  const rows = figures.map(({ type, bytesInFile, bytesOnGpu, token, prompt }) => [
    ...[type, token.layout, bytesInFile.toFixed(3), bytesOnGpu.toFixed(3)],
    ...[token.ms.least, token.gigabytesPerSecond, prompt.ms.least, prompt.gflops].map(threeDigits),
  ]);
  return [`W ${side} x ${side}; the least of several`, ...alignColumns([head, ...rows], [0, 1])].join('\n');
}
