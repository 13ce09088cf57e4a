/** A whole model against float64: every position's distribution, for the layouts, pairings and heads there are. */
import { describe, expect, test } from 'vitest';
import { Session } from '$gpu/generate';
import { Model } from '$gpu/model';
import { chooseWay } from '$gpu/model/race';
import { productWay, productWays, setProductWay, wayName } from '$gpu/ops';
import type { ModelConfig } from '$gpu/formats/model';
import { TINY, tinyModel, tinyWeights } from '../../support/llama';
import { tinyReference } from '../../support/transformer';
import { openTestGpu, useBareGpu } from '../../support/gpu';

const gpu = useBareGpu({ selfTest: false });
const ids = Array.from({ length: 75 }, (_, n) => (n * 37) % TINY.vocab);

const VARIATIONS = [
  ['f32 weights and cache', TINY, 'F32', 'f32', 1e-4],
  ['a head shared with the embedding, halves that turn', tiedHalves(), 'F16', 'f32', 1e-4],
  ['8-bit weights, f16 cache', TINY, 'Q8_0', 'f16', 2e-2],
] as const;

function tiedHalves(): ModelConfig {
  return { ...TINY, tiedHead: true, rope: { ...TINY.rope, pairing: 'halves' } };
}

describe('a model', () => {
  test.each(VARIATIONS)('%s: log-probabilities at every position', async (_, config, type, kv, tolerance) => {
    const weights = tinyWeights(config, type);
    const model = await tinyModel(gpu(), config, weights, { kv });
    const session = new Session(model);
    const wanted = tinyReference(config, weights, ids);
    let position = 0;
    for await (const row of session.score(ids, { top: 20 })) {
      expect(row).toHaveLength(20);
      for (const [id, logprob] of row) {
        expect(Math.abs(logprob - wanted[position]![id]!), `${id} at ${position}`).toBeLessThanOrEqual(tolerance);
      }
      position++;
    }
    expect(position).toBe(ids.length);
    session.destroy();
    model.destroy();
  });

  test('a token costs seven dispatches a layer and five more, nine and six where norms are apart', async () => {
    const usual = productWay(gpu());
    const model = await tinyModel(gpu(), TINY, tinyWeights(TINY, 'F32'), { kv: 'f32' });
    for (const [normApart, dispatches] of [
      [false, 7 * TINY.layers.length + 5],
      [true, 9 * TINY.layers.length + 6],
    ] as const) {
      setProductWay(gpu(), { width: 1, normApart });
      const session = new Session(model);
      expect(session.dispatchesPerToken).toBe(dispatches);
      session.destroy();
    }
    setProductWay(gpu(), usual);
    model.destroy();
  });

  test('a way whose kernels are wrong on this device gives way to the plain one', async (context) => {
    context.skip(!gpu().has.subgroups, 'needs subgroups');
    const tested = await openTestGpu({ prepare: [] });
    // Subgroups are narrower here, so that shuffles lead out of them.
    expect(tested.info.subgroupMinSize).toBeLessThan(32);
    setProductWay(tested, { width: 32, normApart: false });
    const model = await tinyModel(tested, TINY, tinyWeights(TINY, 'F32'), { kv: 'f32' });
    expect(productWay(tested)).toEqual({ width: 1, normApart: false });
    const { notes } = tested.report();
    const warnings = notes.filter(({ level }) => level === 'warning').map(({ text }) => text);
    expect(warnings.join()).toContain('sums by 32 lanes, norm on the way: ');
    model.destroy();
    tested.destroy();
  });

  test('of the ways to multiply, the one that is measured to be the fastest serves, and the report says so', async () => {
    const usual = productWay(gpu());
    const model = await tinyModel(gpu(), TINY, tinyWeights(TINY, 'F32'), { kv: 'f32' });
    const { gateUp, o } = model.weights.layers[0]!;
    const way = await chooseWay(gpu(), [
      { matrix: o, mode: 'added', normed: false },
      { matrix: gateUp, mode: 'silu', normed: true },
    ]);
    expect(productWay(gpu())).toEqual(way);
    const note = gpu()
      .report()
      .notes.find(({ name }) => name === 'how one token meets weights');
    const told = note!.text.split('; ');
    expect(told).toHaveLength(productWays(gpu()).length);
    expect(told[0]!.startsWith(wayName(way))).toBe(true);
    const times = told.map((one) => Number(/([\d.]+) ms$/.exec(one)![1]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    setProductWay(gpu(), usual);
    model.destroy();
  });

  test('activations that may be rounded: both ways are measured, the report says which serves', async () => {
    const config = { ...TINY, width: 128, ffnWidth: 256 };
    const weights = tinyWeights(config, 'Q8_0');
    const model = await tinyModel(gpu(), config, weights, { activations: 'fast' });
    const note = gpu()
      .report()
      .notes.find(({ name }) => name === 'one token x weights');
    expect(note?.text).toMatch(/^(integers|numbers) \([\d.]+ ms exact, [\d.]+ ms rounded\)$/);
    expect(note?.text.startsWith('integers')).toBe(model.integers);
    const session = new Session(model);
    const profile = await gpu().profile(session.decodePlan());
    expect(profile.some(({ label }) => label.includes('integers'))).toBe(model.integers);
    session.destroy();
    model.destroy();
    const exact = await tinyModel(gpu(), config, weights);
    expect(exact.integers).toBe(false);
    exact.destroy();
  });

  test('rows of 8 bits in the cache: half the memory of f16, and nearly the same log-probabilities', async () => {
    const weights = tinyWeights(TINY, 'F32');
    const ids = Array.from({ length: 90 }, (_, n) => (n * 29 + 3) % TINY.vocab);
    const wanted = tinyReference(TINY, weights, ids);
    const model = await tinyModel(gpu(), TINY, weights, { kv: 'q8' });
    const session = new Session(model);
    let [worst, position] = [0, 0];
    for await (const row of session.score(ids, { top: 20 })) {
      for (const [id, logprob] of row) worst = Math.max(worst, Math.abs(logprob - wanted[position]![id]!));
      position++;
    }
    expect(position).toBe(ids.length);
    // Not exact, or it would not be 8 bits.
    expect(worst).toBeGreaterThan(1e-4);
    expect(worst).toBeLessThan(5e-2);
    const text = [];
    for await (const { id } of session.generate(ids, { maxTokens: 8 })) text.push(id);
    expect(text).toHaveLength(8);
    session.destroy();
    model.destroy();
  });

  test('flash or standard attention: the same text', async () => {
    const weights = tinyWeights(TINY, 'F32');
    const ids = Array.from({ length: 40 }, (_, n) => (n * 29 + 3) % TINY.vocab);
    const texts = [];
    for (const attention of ['flash', 'standard'] as const) {
      const model = await tinyModel(gpu(), TINY, weights, { kv: 'f32', attention });
      const session = new Session(model);
      const profile = await gpu().profile(session.decodePlan());
      const used = profile.map(({ label }) => label);
      expect(
        used.some((label) => label.includes('standard')),
        used.join(),
      ).toBe(attention === 'standard');
      const text = [];
      for await (const { id } of session.generate(ids, { maxTokens: 20 })) text.push(id);
      texts.push(text);
      session.destroy();
      model.destroy();
    }
    expect(texts[0]).toEqual(texts[1]);
  });

  test('the cache is no coarser than the weights, and f16 only where the device has it', async () => {
    const kvOf = async (type: 'F32' | 'Q8_0') => {
      const model = await tinyModel(gpu(), TINY, tinyWeights(TINY, type));
      model.destroy();
      return model.kvType;
    };
    expect(await kvOf('F32')).toBe('f32');
    expect(await kvOf('Q8_0')).toBe(gpu().has.f16 ? 'f16' : 'f32');
  });

  test('nothing of it stays on the GPU', async () => {
    const before = gpu().memory().used;
    const model = await tinyModel(gpu(), TINY, tinyWeights(TINY, 'Q8_0'), { kv: 'f32' });
    const session = new Session(model);
    await session.ready();
    expect(gpu().memory().used).toBeGreaterThan(before);
    session.destroy();
    model.destroy();
    await gpu().idle();
    expect(gpu().memory().used).toBe(before);
  });
});

describe('tensors that do not make a model are refused by name, before a byte is read', () => {
  const described = (change: (name: string, shape: number[]) => number[] | undefined) =>
    [...tinyWeights(TINY, 'F32')].flatMap(([name, { type, rows, columns }]) => {
      const shape = change(name, name.includes('norm') ? [columns] : [rows, columns]);
      return shape ? [{ name, type, shape }] : [];
    });

  test.each([
    ['a missing one', described((name, shape) => (name === 'blk.1.attn_k.weight' ? undefined : shape)), /1\.k/],
    [
      'a wrong shape',
      described((name, s) => (name === 'output.weight' ? [s[0]!, 60] : s)),
      /output\.weight.*\[96, 64\]/,
    ],
    [
      'one that nothing is known of',
      [...described((_, shape) => shape), { name: 'blk.0.attn_q.bias', type: 'F32' as const, shape: [64] }],
      /attn_q\.bias/,
    ],
    [
      'a layer too many',
      [...described((_, shape) => shape), { name: 'blk.7.attn_q.weight', type: 'F32' as const, shape: [64, 64] }],
      /layer 7/,
    ],
  ])('%s', (_, tensors, message) => {
    expect(() => new Model(gpu(), TINY, tensors)).toThrow(message);
  });

  test('a type without a layout', () => {
    const tensors = described((_, shape) => shape).map((one) =>
      one.name === 'output.weight' ? { ...one, type: 'IQ1_S' as const } : one,
    );
    expect(() => new Model(gpu(), TINY, tensors)).toThrow(/IQ1_S.*F32, F16/);
  });

  test('weights that have not all come', async () => {
    const model = new Model(
      gpu(),
      TINY,
      described((_, shape) => shape),
    );
    await expect(model.ready()).rejects.toThrow(/unfinished/);
    model.destroy();
  });
});
