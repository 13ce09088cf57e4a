/** Queries and keys turn, keys and values go into the cache: every way of it, element by element against float64. */
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '$gpu/device';
import { decodeRows8, row8Bytes } from '$gpu/formats/rows8';
import { ropeAppend, rotaryAngles } from '$gpu/ops';
import { coveringArray } from '../../support/covering';
import { poisoned, useBareGpu } from '../../support/gpu';
import { expectNear, normReference, numbers } from '../../support/ops';

const gpu = useBareGpu();

const FACTORS = {
  kv: ['f32', 'f16', 'u8'],
  pairing: ['neighbours', 'halves'],
  norm: ['none', 'head', 'token'],
  biased: [false, true],
  /** [Hq, Hkv, D, elements that turn]; more than 64 pairs are more than a workgroup has threads. */
  heads: [
    [4, 2, 16, 16],
    [3, 1, 160, 120],
    [2, 2, 64, 0],
  ],
  tokens: [1, 5],
} as const;

/** A type of cache, a pairing, a norm and biases make one kernel: software adapters compile each for its time. */
const rows = coveringArray(FACTORS, ({ kv, pairing, norm, biased }) => {
  if (kv === undefined || pairing === undefined) return true;
  const kernel = FACTORS.kv.indexOf(kv) + FACTORS.pairing.indexOf(pairing);
  const isOne = norm === undefined || FACTORS.norm.indexOf(norm) === kernel % 3;
  return isOne && (biased === undefined || biased === (kernel % 2 === 0));
});

const [CAPACITY, POSITION, EPS] = [12, 4, 1e-5];

describe('ropeAppend', () => {
  test.each(rows)('$kv, $pairing, norm $norm, biased $biased, heads $heads, $tokens tokens', async (row) => {
    const { kv, pairing, norm, biased, tokens } = row;
    const [headsQ, headsKv, headDim, dims] = row.heads;
    const heads = headsQ + 2 * headsKv;
    const qkv = numbers(tokens * heads * headDim, 1);
    const bias = numbers(heads * headDim, 2);
    const gain = numbers(norm === 'head' ? 2 * headDim : (headsQ + headsKv) * headDim, 3);
    const rope = { theta: 100, dims, pairing };
    const kept = kv === 'u8' ? row8Bytes(headDim) : headDim;
    const q = poisoned(gpu(), [1, tokens, headsQ, headDim], 'f32');
    const caches = [0, 1].map(() => gpu().empty([1, CAPACITY, headsKv, kept], kv));
    caches.forEach((cache) => gpu().fill(cache, MARK));
    ropeAppend(gpu(), {
      qkv: gpu().upload(qkv, [tokens, heads * headDim]),
      angles: dims > 0 ? gpu().upload(rotaryAngles(rope, CAPACITY), [CAPACITY, dims / 2, 2]) : undefined,
      pairing,
      state: gpu().upload(Int32Array.of(POSITION), [1]),
      ...{ q, keys: caches[0]!, values: caches[1]! },
      ...(biased && { bias: gpu().upload(bias, [bias.length]) }),
      ...(norm !== 'none' && { norm: { kind: norm, gain: gpu().upload(gain, [gain.length]), eps: EPS } }),
    });

    const added = Float64Array.from(qkv, (value, at) => value + (biased ? bias[at % bias.length]! : 0));
    const part = (first: number, count: number, gains?: Float32Array): Float64Array => {
      const taken = Array.from({ length: tokens }, (_, m) => {
        const begin = (m * heads + first) * headDim;
        return [...added.subarray(begin, begin + count * headDim)];
      });
      const flat = Float64Array.from(taken.flat());
      return gains && norm !== 'none' ? normReference(flat, gains, EPS) : flat;
    };
    const split = norm === 'head' ? headDim : headsQ * headDim;
    const wantedQ = turn(part(0, headsQ, gain.subarray(0, split)), headsQ, headDim, rope);
    const wantedK = turn(part(headsQ, headsKv, gain.subarray(split)), headsKv, headDim, rope);
    const wantedV = part(headsQ + headsKv, headsKv);
    expectNear(await gpu().download(q), wantedQ, 2e-5, 'q');
    for (const [n, wanted] of [wantedK, wantedV].entries()) {
      const bytes = await gpu().downloadBytes(caches[n]!);
      const rowBytes = bytes.length / CAPACITY;
      const rest = [...bytes.subarray(0, POSITION * rowBytes), ...bytes.subarray((POSITION + tokens) * rowBytes)];
      const mark = new Uint8Array(Uint32Array.of(MARK).buffer);
      expect(
        rest.every((byte, at) => byte === mark[at % 4]),
        'other positions stay',
      ).toBe(true);
      const own = bytes.slice(POSITION * rowBytes, (POSITION + tokens) * rowBytes);
      expectStored(own, wanted, kv, headDim);
    }
  });

  test('what does not fit is refused by name', () => {
    const tensor = (shape: readonly number[]) => gpu().empty(shape, 'f32');
    const call = {
      qkv: tensor([1, 4 * 8]),
      angles: undefined,
      pairing: 'halves',
      state: gpu().upload(Int32Array.of(0), [1]),
      q: tensor([1, 1, 2, 8]),
      keys: tensor([1, 4, 1, 8]),
      values: tensor([1, 4, 1, 8]),
    } as const;
    const wrong = [
      [{ qkv: tensor([1, 30]) }, /qkv/],
      [{ values: gpu().empty([1, 4, 1, 8], 'f16') }, /as values/],
      [{ keys: gpu().empty([1, 4, 1, 8], 'u8'), values: gpu().empty([1, 4, 1, 8], 'u8') }, /rows of 12/],
      [{ bias: tensor([31]) }, /bias/],
      [{ norm: { kind: 'head', gain: tensor([15]), eps: EPS } }, /norm.gain/],
    ] as const;
    for (const [part, message] of wrong) {
      expect(() => ropeAppend(gpu(), { ...call, ...part })).toThrow(ArgumentError);
      expect(() => ropeAppend(gpu(), { ...call, ...part })).toThrow(message);
    }
  });
});

/** What lies in the caches before: no element of it is a number that belongs there. */
const MARK = 0x7fc07fc1;

/** Rows of 8 bits may be half a step off, and a step at 127: of what rounds there, the driver's last bit decides. */
function expectStored(bytes: Uint8Array<ArrayBuffer>, wanted: Float64Array, kv: 'f32' | 'f16' | 'u8', headDim: number) {
  if (kv === 'f32') return expectNear(new Float32Array(bytes.buffer), wanted, 2e-5, 'cache');
  if (kv === 'f16') {
    const halves = Float32Array.from(new Uint16Array(bytes.buffer), halfValue);
    return expectNear(halves, wanted, 4e-3, 'cache');
  }
  const got = decodeRows8(bytes, headDim);
  for (let begin = 0; begin < wanted.length; begin += headDim) {
    const own = wanted.subarray(begin, begin + headDim);
    const most = own.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    expectNear(got.subarray(begin, begin + headDim), own, (0.51 * most) / 127 + 2e-5, 'cache');
  }
}

function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits >> 15 ? -size : size;
}

function turn(
  x: Float64Array,
  heads: number,
  headDim: number,
  { theta, dims, pairing }: { theta: number; dims: number; pairing: string },
): Float64Array {
  const out = x.slice();
  const pairs = dims / 2;
  for (let row = 0; row < x.length / headDim; row++) {
    const position = POSITION + Math.floor(row / heads);
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * theta ** (-pair / pairs);
      const [a, b] = pairing === 'neighbours' ? [2 * pair, 2 * pair + 1] : [pair, pair + pairs];
      const [p, r] = [x[row * headDim + a]!, x[row * headDim + b]!];
      out[row * headDim + a] = p * Math.cos(angle) - r * Math.sin(angle);
      out[row * headDim + b] = r * Math.cos(angle) + p * Math.sin(angle);
    }
  }
  return out;
}
