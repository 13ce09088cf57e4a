/** A thousand requests of every kind, and nothing stays behind. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { chat, send, serveScripted } from './support';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function heapAfter(rounds: number, round: (i: number) => Promise<unknown>): Promise<number> {
  for (let i = 0; i < rounds; i++) await round(i);
  await new Promise((done) => setTimeout(done, 100));
  collect();
  return process.memoryUsage().heapUsed;
}

test('1,000 requests, a fifth of them broken and a fifth broken off, leave no memory behind', async () => {
  const { port, engine, server, close } = await serveScripted();
  engine.pause = () => new Promise((done) => setImmediate(done));
  const round = async (i: number): Promise<void> => {
    const kind = i % 5;
    if (kind === 0) await chat(port);
    else if (kind === 1) await chat(port, { stream: true });
    else if (kind === 2) await chat(port, {}, { body: '{' });
    else if (kind === 3) await send(port, { path: '/v1/models' });
    else await chat(port, { stream: true }, { signal: AbortSignal.timeout(1) }).catch(() => undefined);
    engine.asked.length = 0;
  };
  // The first thousand is what the engine below compiles and keeps.
  const before = await heapAfter(1000, round);
  const after = await heapAfter(1000, round);
  // Half a KB a request; some 110 bytes were seen.
  expect(after - before).toBeLessThan(500_000);
  await expect.poll(() => engine.running).toBe(0);
  const sockets = await new Promise<number>((done) => server.getConnections((_, count) => done(count)));
  expect(sockets).toBe(0);
  await close();
});
