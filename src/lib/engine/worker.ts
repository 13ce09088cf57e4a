/**
 * The worker that owns the GPU: takes requests, answers each, and survives what goes wrong in one.
 */
import { GpuError } from '$gpu';
import { inspect } from './inspect';
import type { Failure, Method, Methods, Reply, Request } from './protocol';

type Handlers = { [M in Method]: (progress: (value: Methods[M]['progress']) => void) => Promise<Methods[M]['result']> };

const handlers: Handlers = { inspect };

self.addEventListener('message', ({ data }: MessageEvent<Request>) => void answer(data));

async function answer({ id, method }: Request): Promise<void> {
  const send = (reply: Reply): void => self.postMessage(reply);
  try {
    const result = await handlers[method]((progress) => send({ id, type: 'progress', progress }));
    send({ id, type: 'done', result });
  } catch (error) {
    send({ id, type: 'failed', failure: describe(error) });
  }
}

function describe(error: unknown): Failure {
  if (error instanceof GpuError) return { code: error.code, message: error.message };
  return { code: 'unknown', message: error instanceof Error ? error.message : String(error) };
}
