/**
 * Clients that nobody here wrote, through the doors that Node can open: the handler as their `fetch`, and `fireside
 * serve`'s socket. The doors of a page: tests/e2e/doors.e2e.test.ts.
 */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createHandler } from '$lib/engine/handle';
import { AskedEngine } from '../../../../support/clients/asked-engine';
import { CASES, type Door } from '../../../../support/clients/suite';
import type { AiSdk, Clients } from '../../../../support/clients/types';
import { missingPackage, oracle } from '../../../../support/oracles';
import { serveEngine, type Serving } from '../../../cli/serve/support';

const PACKAGES = ['openai', 'ai', '@ai-sdk/openai-compatible', '@langchain/openai'];

const handle = createHandler({ engine: new AskedEngine() });
let served: Serving | undefined;
let clients: Clients | undefined;
beforeAll(async () => {
  served = await serveEngine(new AskedEngine());
  if (PACKAGES.some(missingPackage)) return;
  const { OpenAI } = await oracle<Clients>('openai');
  const { createOpenAICompatible } = await oracle<Clients>('@ai-sdk/openai-compatible');
  const { ChatOpenAI } = await oracle<Clients>('@langchain/openai');
  clients = { OpenAI, ai: await oracle<AiSdk>('ai'), createOpenAICompatible, ChatOpenAI };
});
afterAll(() => served?.close());

const doors: Record<string, () => Door> = {
  fetch: () => ({
    baseURL: 'http://fireside/v1',
    fetch: (input, init) => handle(new Request(input, init)),
    model: 'scripted',
  }),
  serve: () => ({ baseURL: `http://127.0.0.1:${served!.port}/v1`, model: 'scripted' }),
};

describe.each(Object.entries(doors))('through %s', (_, door) => {
  test.for(Object.entries(CASES))('%s', async ([, run], context) => {
    const missing = PACKAGES.map(missingPackage).find((why) => why !== undefined);
    if (missing) return context.skip(missing);
    await run(door(), clients!);
  });
});
