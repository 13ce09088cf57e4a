/**
 * The worker that owns the GPU: takes requests, answers each, and survives what goes wrong in one.
 */
import { choose } from './choose';
import { describe } from './errors';
import { Host } from './host';
import { inspect } from './inspect';
import { MaskLine } from './mask-line';
import type { MaskAnswer, MaskHook, Method, Methods, Reply, Request, Stop } from './protocol';

type Handlers = {
  [M in Method]: (
    params: Methods[M]['params'],
    progress: (value: Methods[M]['progress']) => void,
    signal: AbortSignal,
    mask: MaskHook,
  ) => Promise<Methods[M]['result']>;
};

const host = new Host({
  choose,
  // The processor's engine is large, and most never need it.
  openOnCpu: async (context) => (await import('./cpu-open')).openOnCpu(context),
});

const handlers: Handlers = {
  inspect: (_, progress) => inspect(progress),
  // Seldom asked for, and then there is time to fetch it.
  measureGpu: async (_, progress) => (await import('./bench/gpu')).measureGpu(progress),
  load: (params, progress, signal) => host.load(params, progress, signal),
  generate: (params, progress, signal, mask) => host.generate(params, progress, signal, mask),
  count: async (ask) => host.count(ask),
  measureModel: (_, progress) => host.measure(progress),
  unload: async () => host.unload(),
};

const running = new Map<number, AbortController>();
const masks = new MaskLine((question) => self.postMessage(question));

self.addEventListener('message', ({ data }: MessageEvent<Request | Stop | MaskAnswer>) => {
  if ('stop' in data) running.get(data.stop)?.abort();
  else if ('maskFor' in data) masks.take(data);
  else void answer(data);
});

async function answer<M extends Method>({ id, method, params }: Request<M>): Promise<void> {
  const send = (reply: Reply): void => self.postMessage(reply);
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const progress = (value: Methods[M]['progress']): void => send({ id, type: 'progress', progress: value });
    const result = await handlers[method](params, progress, stop.signal, masks.hook(id));
    send({ id, type: 'done', result });
  } catch (error) {
    send({ id, type: 'failed', failure: describe(error) });
  } finally {
    running.delete(id);
    masks.forget(id);
  }
}
