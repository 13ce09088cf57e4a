/** What the engine tells, in words that people know. Pure functions of plain data. */
import type { AnswerEnd, Failure, LoadedModel, LoadProgress } from '$lib/engine/protocol';
import { formatBytes, formatDuration, formatRate } from '$lib/ui/format';

/** What is going on while a model opens. */
export function loadWords({ phase, done = 0, total = 0 }: LoadProgress): string {
  switch (phase) {
    case 'device':
      return 'Looking for a GPU';
    case 'read':
      return `Reading the model: ${formatBytes(done)} of ${formatBytes(total)}`;
    case 'upload':
      return 'Handing the model to the GPU';
    case 'compile':
      return 'Getting ready to answer';
  }
}

/** Where the model runs, after its name: «on the GPU». */
export function placeWords({ path, threads = 1 }: LoadedModel): string {
  if (path === 'gpu') return 'on the GPU';
  return threads > 1 ? `on the processor, ${threads} threads` : 'on the processor';
}

/** Why it runs there, in a sentence or two. */
export function reasonWords({ path, reason, detail, adapter }: LoadedModel): string {
  switch (reason) {
    case 'gpu':
      return adapter ? `This device has a GPU that WebGPU can use: ${adapter}.` : 'This device has a GPU for WebGPU.';
    case 'asked':
      return path === 'gpu' ? `You chose the GPU${adapter ? `: ${adapter}` : ''}.` : 'You chose the processor.';
    case 'no-webgpu':
    case 'no-adapter':
      return detail ?? 'The browser offers no GPU.';
    case 'software-gpu':
      return 'The browser’s GPU is imitated in software here, which is slower than using the processor directly.';
    case 'gpu-failed':
      return `The GPU could not run this model. ${detail ?? ''}`.trim();
  }
}

/** The line under an answer: «42 tokens · 31 tokens/s · first after 0.4 seconds · stopped by you». */
export function figureWords({ timings, reason }: AnswerEnd): string {
  const { tokens, decode, firstTokenMs } = timings;
  const count = tokens === 1 ? '1 token' : `${tokens.toLocaleString('en')} tokens`;
  const rate = decode.tokens > 0 && decode.ms > 0 ? [`${formatRate((decode.tokens * 1000) / decode.ms)} tokens/s`] : [];
  const first = firstTokenMs === undefined ? [] : [`first after ${formatDuration(firstTokenMs)}`];
  return [count, ...rate, ...first, ...ENDINGS[reason]].join(' · ');
}

/** Why an answer ended where it did, if that is worth a word. */
const ENDINGS: Readonly<Record<AnswerEnd['reason'], readonly string[]>> = {
  end: [],
  stop: [],
  aborted: ['stopped by you'],
  length: ['cut short: it was getting very long'],
  context: ['cut short: the model holds no more of this conversation'],
};

export interface Advice {
  readonly title: string;
  /** What a person can do; each names an action of the page. */
  readonly action: 'retry' | 'reopen' | 'processor' | 'clear';
  readonly button: string;
}

/** What an error means, and the way on. */
export function adviceFor(code: Failure['code']): Advice {
  switch (code) {
    case 'context':
      return { title: 'The conversation has grown too long', action: 'clear', button: 'Start a new one' };
    case 'lost':
      return { title: 'The GPU went away', action: 'reopen', button: 'Open the model again' };
    case 'worker':
    case 'cpu':
    case 'no-model':
      return { title: 'The engine broke down', action: 'reopen', button: 'Open the model again' };
    case 'source':
      return { title: 'The model could not be read', action: 'reopen', button: 'Try again' };
    case 'model':
    case 'files':
    case 'no-template':
      return { title: 'This model cannot be used', action: 'reopen', button: 'Try again' };
    case 'no-webgpu':
    case 'no-adapter':
    case 'limit':
    case 'out-of-memory':
    case 'shader':
    case 'self-test':
    case 'validation':
      return { title: 'The GPU cannot run this model', action: 'processor', button: 'Use the processor' };
    default:
      return { title: 'Something went wrong', action: 'retry', button: 'Try again' };
  }
}
