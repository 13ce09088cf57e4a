/** The model bench's options. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../../command';

export interface Settings {
  readonly model: string;
  /** Measure loading and nothing else. */
  readonly loadingAlone: boolean;
  /** Whether to ask ONNX Runtime. */
  readonly peers: boolean;
  /** Tokens of the prompts that prefill is timed with. */
  readonly prompts: readonly number[];
  /** Tokens that are decoded behind the first and the last prompt. */
  readonly decoded: number;
  /** Rounds of everything that is timed; the least counts. */
  readonly rounds: number;
  /** Milliseconds of measuring that a product is worth. */
  readonly patience: number;
}

export const OPTIONS: readonly string[] = [
  '--model MODEL        a folder with safetensors, a GGUF file, or an address; default: the pocket model',
  '--prompts 16,64,256  tokens of the prompts that prefill is timed with; decode follows the first and the last',
  '--decoded 32         tokens that are decoded for a figure',
  '--rounds 3           rounds of each figure; the least counts, since what else the machine does only adds',
  '--loading-alone      measure loading and nothing else',
  '--no-onnx            ask no ONNX Runtime',
];

const POCKET = join('static', 'pocket', 'minimind2-small-q8_0.gguf');

export function settingsFrom(args: string[]): Settings {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args,
    options: { model: text, prompts: text, decoded: text, rounds: text, 'loading-alone': flag, 'no-onnx': flag },
  });
  return {
    model: values.model ?? pocketModel(),
    loadingAlone: values['loading-alone'],
    peers: !values['no-onnx'],
    prompts: values.prompts?.split(',').map((word) => count('prompts', word)) ?? [16, 64, 256],
    decoded: count('decoded', values.decoded ?? '32'),
    rounds: count('rounds', values.rounds ?? '3'),
    patience: 500,
  };
}

/** Where a checkout has it. */
function pocketModel(): string {
  const path = join(dirname(process.argv[1] ?? ''), '..', POCKET);
  if (existsSync(path)) return path;
  throw new UsageError(
    'the pocket model is not there: make it with «node scripts/pocket.js», or name another: --model',
  );
}

function count(option: string, word: string): number {
  const value = Number(word);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`--${option}: «${word}» is no positive whole number`);
}
