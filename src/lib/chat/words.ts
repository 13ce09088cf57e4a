/** What the engine tells, in words that people know. Functions of plain data and the language that is spoken. */
import type { AnswerEnd, LoadedModel, LoadProgress } from '$lib/engine/protocol';
import type { StoredFailure } from '$lib/conversations/records';
import { formatBytes, formatDuration, formatRate } from '$lib/ui/format';
import { language, t, type Messages } from '$lib/ui/language.svelte';

/** What is going on while a model opens. */
export function loadWords({ phase, done = 0, total = 0 }: LoadProgress): string {
  if (phase === 'read') return t().load.read(formatBytes(done, language()), formatBytes(total, language()));
  return t().load[phase];
}

/** Where the model runs, after its name: «on the GPU». */
export function placeWords({ path, threads = 1, server }: LoadedModel): string {
  if (path === 'server') return server?.host ?? '';
  const place = t().model.on[path];
  return path === 'cpu' && threads > 1 ? `${place}, ${t().model.threads(threads)}` : place;
}

/** What it takes and holds. */
export function modelFacts({ bytes, loadMs, context, server }: LoadedModel): string {
  if (server) return t().server[server.contextAssumed ? 'assumed' : 'holds'](context);
  return t().model.facts(formatBytes(bytes, language()), formatDuration(loadMs, language()), context);
}

/** Why it runs there, in a sentence or two. */
export function reasonWords({ path, reason, detail, adapter, server }: LoadedModel): string {
  const { model } = t();
  switch (reason) {
    case 'gpu':
      return adapter ? model.gpu(adapter) : model.someGpu;
    case 'asked':
      if (path === 'cpu') return model.askedCpu;
      return adapter ? `${model.askedGpu} ${adapter}` : model.askedGpu;
    case 'no-webgpu':
    case 'no-adapter':
      return detail ?? model.noGpu;
    case 'software-gpu':
      return model.softwareGpu;
    case 'gpu-failed':
      return `${model.gpuFailed} ${detail ?? ''}`.trim();
    case 'server':
      return t().server.leaves(server?.host ?? '');
  }
}

/** The line under an answer: «42 tokens · 31 tokens/s · first after 0.4 seconds · 300 of 320 prompt tokens reused». */
export function figureWords({ timings, reason }: AnswerEnd): string[] {
  const { tokens, decode, firstTokenMs, prefill } = timings;
  const { figures } = t();
  const why = reason === 'aborted' || reason === 'length' || reason === 'context' ? [figures[reason]] : [];
  if (tokens === 0) return [figures.tokens(0), ...why];
  const rate = decode.tokens > 0 && decode.ms > 0 ? [figures.rate(perSecond(decode))] : [];
  const first = firstTokenMs === undefined ? [] : [figures.first(formatDuration(firstTokenMs, language()))];
  const read = prefill.reused + prefill.tokens;
  return [figures.tokens(tokens), ...rate, ...first, figures.reused(prefill.reused, read), ...why];
}

function perSecond({ tokens, ms }: { readonly tokens: number; readonly ms: number }): string {
  return formatRate((tokens * 1000) / ms, language());
}

/** What a person can do about an error. */
export type Action = 'continue' | 'reopen' | 'processor' | 'newChat';

export interface Advice {
  readonly title: string;
  readonly action: Action;
  readonly button: string;
}

/** What an error means, and the way on. */
export function adviceFor(code: StoredFailure['code']): Advice {
  const { errors, message, tabs } = t();
  const advice = (title: string, action: Action, button: string): Advice => ({ title, action, button });
  if (code.startsWith(REMOTE))
    return advice(
      remoteTitle(code),
      code === 'remote-cut' ? 'continue' : 'reopen',
      code === 'remote-cut' ? message.continue : errors.again,
    );
  switch (code) {
    case 'context':
      return advice(errors.context, 'newChat', errors.startNew);
    case 'taken':
      return advice(tabs.title, 'continue', message.continue);
    case 'lost':
      return advice(errors.lost, 'continue', message.continue);
    case 'worker':
    case 'cpu':
    case 'no-model':
      return advice(errors.engine, 'continue', message.continue);
    case 'source':
      return advice(errors.source, 'reopen', errors.again);
    case 'model':
    case 'files':
    case 'no-template':
      return advice(errors.model, 'reopen', errors.again);
    case 'no-webgpu':
    case 'no-adapter':
    case 'limit':
    case 'out-of-memory':
    case 'shader':
    case 'self-test':
    case 'validation':
      return advice(errors.gpu, 'processor', errors.useCpu);
    default:
      return advice(errors.other, 'continue', errors.again);
  }
}

const REMOTE = 'remote-';

function remoteTitle(code: string): string {
  const { problems } = t().server;
  const problem = code.slice(REMOTE.length);
  return Object.hasOwn(problems, problem) ? problems[problem as keyof typeof problems] : t().errors.other;
}

/** Under which heading of the list a conversation stands. */
export function ageWords(changed: number, now: Date): string {
  const words: Messages['sidebar'] = t().sidebar;
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const day = 24 * 3600 * 1000;
  if (changed >= midnight) return words.today;
  if (changed >= midnight - day) return words.yesterday;
  return changed >= midnight - 7 * day ? words.lastWeek : words.older;
}
