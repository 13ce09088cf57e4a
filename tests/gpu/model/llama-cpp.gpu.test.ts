/** The same GGUF file, token by token: our greedy text against llama.cpp's on the CPU. */
import { expect, test, type TestContext } from 'vitest';
import { Session } from '$gpu/generate';
import type { ByteSource } from '$lib/weights';
import pocket from '../../fixtures/models/pocket.golden.json';
import stories from '../../fixtures/models/stories260k.golden.json';
import { isSlow } from '../../support/attention/grid';
import { llamaCpp } from '../../support/llama-cpp';
import { loadModel, openPocket, openShared, type Golden } from '../../support/model';
import { useBareGpu } from '../../support/gpu';

const gpu = useBareGpu();

interface Case {
  readonly name: string;
  readonly path: string;
  readonly open: (context: TestContext) => Promise<ByteSource>;
  readonly golden: unknown;
  readonly tokens: number;
  /**
   * A step whose two best tokens are nearer than this in log-probability may go either way, and ends the comparison:
   * llama.cpp rounds activations to 8 bits where weights have 8, and keeps its cache in f16.
   */
  readonly close: number;
  /** Tokens that are compared at least, all prompts together. */
  readonly least: number;
}

const STORIES = 'models/stories260k/stories260k-f16.gguf';
const CASES: readonly Case[] = [
  {
    name: 'stories260k, f16',
    path: `../shared/${STORIES}`,
    open: (context) => openShared(context, STORIES),
    golden: stories,
    tokens: 64,
    close: 0.01,
    least: 192,
  },
  {
    name: 'the pocket model, 8 bits',
    path: 'static/pocket/minimind2-small-q8_0.gguf',
    open: openPocket,
    golden: pocket,
    tokens: 20,
    close: 0.15,
    least: 20,
  },
];

test.for(CASES)('$name: the same greedy text as by llama.cpp', async (one, context) => {
  context.skip(isSlow, 'takes minutes on a narrow software GPU: npm run test:large');
  const oracle = await llamaCpp(context);
  const source = await one.open(context);
  const prompts = (one.golden as Golden).prompts.map(({ ids }) => ids);
  const wanted = await oracle.greedy(one.path, prompts, one.tokens);
  await oracle.close();

  const model = await loadModel(gpu(), source);
  const session = new Session(model);
  let compared = 0;
  for (const [n, ids] of prompts.entries()) {
    const sure = await sureText(session, ids, wanted[n]!.length, one.close);
    expect(wanted[n]!.slice(0, sure.length), `prompt ${n}`).toEqual(sure);
    compared += sure.length;
  }
  expect(compared).toBeGreaterThanOrEqual(one.least);
  session.destroy();
  model.destroy();
  await source.close?.();
});

/** Our text, up to the first step where two tokens are close to each other. */
async function sureText(session: Session, ids: readonly number[], tokens: number, close: number): Promise<number[]> {
  const text: number[] = [];
  for await (const { id, top } of session.generate(ids, { maxTokens: tokens, logprobs: 2 })) {
    const [best, second] = top!;
    if (best![1] - second![1] < close) break;
    text.push(id);
  }
  return text;
}
