/**
 * The worker that owns the GPU: takes requests, answers each, and survives what goes wrong in one.
 */
import { choose } from './choose';
import { describe } from './errors';
import { Host } from './host';
import { inspect } from './inspect';
import type { Method, Methods, Reply, Request, Stop } from './protocol';

type Handlers = {
  [M in Method]: (
    params: Methods[M]['params'],
    progress: (value: Methods[M]['progress']) => void,
    signal: AbortSignal,
  ) => Promise<Methods[M]['result']>;
};

const host = new Host({
  choose,
  // The processor's engine is large, and most never need it.
  openOnCpu: async (context) => (await import('./cpu-open')).openOnCpu(context),
});

const handlers: Handlers = {
  inspect: (_, progress) => inspect(progress),
  load: (params, progress, signal) => host.load(params, progress, signal),
  generate: (params, progress, signal) => host.generate(params, progress, signal),
  unload: async () => host.unload(),
};

const running = new Map<number, AbortController>();

self.addEventListener('message', ({ data }: MessageEvent<Request | Stop>) => {
  if ('stop' in data) running.get(data.stop)?.abort();
  else void answer(data);
});

async function answer<M extends Method>({ id, method, params }: Request<M>): Promise<void> {
  const send = (reply: Reply): void => self.postMessage(reply);
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const result = await handlers[method](params, (progress) => send({ id, type: 'progress', progress }), stop.signal);
    send({ id, type: 'done', result });
  } catch (error) {
    send({ id, type: 'failed', failure: describe(error) });
  } finally {
    running.delete(id);
  }
}
