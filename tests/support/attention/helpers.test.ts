/** The helpers that other tests trust: rotation, pages, packing, merging, each held to a property of its own. */
import { describe, expect, it } from 'vitest';
import { attentionReference } from '$gpu/attention/reference';
import { cumulative, fromPages, pack, permutation, randomBlockTable, sequenceOf, toPages } from './layout';
import { mergeReference } from './merge';
import { normals } from './problem';
import { randomTables, rotate, type RotaryTables } from './rotary';
import { expectClose } from './rule';

/** Angles as a model has them: position times a frequency for each pair. */
function modelTables(positions: number, rotaryDim: number): RotaryTables {
  const half = rotaryDim / 2;
  const angle = (at: number): number => Math.floor(at / half) * 10000 ** (-(at % half) / half);
  const table = (f: (x: number) => number): Float32Array =>
    Float32Array.from({ length: positions * half }, (_, at) => f(angle(at)));
  return { cos: table(Math.cos), sin: table(Math.sin), positions, rotaryDim };
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, d) => sum + x * b[d]!, 0);

describe.each([true, false])('rotate, interleaved %s', (interleaved) => {
  const turn = (x: Float32Array, position: number, rotaryDim = 16): Float32Array =>
    rotate(x, [1, 1, 1, 16], modelTables(64, rotaryDim), interleaved, () => position, 'f32');

  it('gives products that depend on the distance of two positions alone', () => {
    const [a, b] = [normals(1, 16), normals(2, 16)];
    expect(dot(turn(a, 40), turn(b, 33))).toBeCloseTo(dot(turn(a, 17), turn(b, 10)), 4);
    expect(dot(turn(a, 40), turn(b, 33))).not.toBeCloseTo(dot(turn(a, 40), turn(b, 32)), 2);
  });

  it('changes nothing at position 0, and nothing from the rotary dimension on', () => {
    const x = normals(3, 16);
    expect(turn(x, 0)).toEqual(x);
    expect(turn(x, 5, 8).subarray(8)).toEqual(x.subarray(8));
    expect(turn(x, 5, 8).subarray(0, 8)).not.toEqual(x.subarray(0, 8));
  });
});

it('rotate pairs neighbours when interleaved, and halves otherwise', () => {
  const quarterTurn: RotaryTables = {
    cos: new Float32Array(2),
    sin: new Float32Array([1, 1]),
    positions: 1,
    rotaryDim: 4,
  };
  const x = Float32Array.of(1, 2, 3, 4);
  const turned = (interleaved: boolean): number[] =>
    Array.from(rotate(x, [1, 1, 1, 4], quarterTurn, interleaved, () => 0, 'f32'));
  expect(turned(true)).toEqual([-2, 1, -4, 3]);
  expect(turned(false)).toEqual([-3, -4, 1, 2]);
});

it('random tables turn every position another way', () => {
  const { cos, sin } = randomTables(1, 8, 4, 'f32');
  expect(new Set(cos).size).toBe(16);
  cos.forEach((c, at) => expect(c ** 2 + sin[at]! ** 2).toBeCloseTo(1, 6));
});

describe('layouts', () => {
  it('a permutation has every number once', () => {
    expect(Array.from(permutation(1, 20)).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('pages gather back to what was cut, and unused pages are NaN', () => {
    const shape = { batch: 2, seqK: 11, row: 3 };
    const x = normals(1, 66);
    const paged = toPages(x, shape, randomBlockTable(2, 2, 11, 4));
    expect(fromPages(paged, shape)).toEqual(x);
    expect(paged.pages.filter(Number.isNaN)).toHaveLength(paged.pages.length - x.length);
  });

  it('sequences lie end to end', () => {
    const ends = cumulative([2, 0, 1]);
    expect(Array.from(ends)).toEqual([0, 2, 2, 3]);
    expect(Array.from(sequenceOf(Float32Array.of(1, 2, 3, 4, 5, 6), ends, 2, 2))).toEqual([5, 6]);
  });

  it('packing interleaves the rows of each token', () => {
    const packed = pack([Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)], 2);
    expect(Array.from(packed)).toEqual([1, 2, 5, 6, 3, 4, 7, 8]);
  });
});

describe('mergeReference', () => {
  const shapes = { batch: 1, seqQ: 3, seqK: 10, headsQ: 2, headsKv: 1, headDim: 4 };
  const [q, k, v] = [normals(1, 24), normals(2, 40), normals(3, 40)];
  const part = (from: number, to: number): ReturnType<typeof attentionReference> =>
    attentionReference(q, k.subarray(from * 4, to * 4), v.subarray(from * 4, to * 4), { ...shapes, seqK: to - from });

  it('gives the whole from any parts', () => {
    const whole = attentionReference(q, k, v, shapes);
    const merged = mergeReference([part(0, 1), part(1, 1), part(1, 7), part(7, 10)], shapes);
    expectClose('out', merged.out, whole.out, 1e-12);
    expectClose('lse', merged.lse, whole.lse, 1e-12);
  });

  it('gives zeros and -inf where no part has seen a key, whatever their out holds', () => {
    const nothing = { out: new Float64Array(24).fill(NaN), lse: new Float64Array(6).fill(-Infinity) };
    const { out, lse } = mergeReference([nothing, nothing], shapes);
    expect(out.every((x) => x === 0)).toBe(true);
    expect(lse.every((x) => x === -Infinity)).toBe(true);
  });
});
