/** Queries and keys turn by their position; keys and values go into the cache (rope_append.wesl). */
import type { RopeConfig, RopePairing } from '../formats/model';
import { ArgumentError, describe, flatGrid, keptSpec, ParamWriter } from '../device';
import type { DType, Gpu, PipelineSpec, Tensor } from '../device';
import { sources } from './shaders';

export interface RopeAppendCall {
  /** `[M, (Hq + 2 Hkv) D]` f32: what the product of q, k and v gave. */
  readonly qkv: Tensor;
  /** `[positions, pairs, 2]` f32, of rotaryAngles. */
  readonly angles: Tensor;
  readonly pairing: RopePairing;
  /** i32; its first element is the position of the first row. */
  readonly state: Tensor;
  /** `[1, M, Hq, D]` f32. */
  readonly q: Tensor;
  /** `[1, capacity, Hkv, D]`, f32 or f16. */
  readonly keys: Tensor;
  readonly values: Tensor;
}

export function ropeAppendSpec(dtype: DType, pairing: RopePairing): PipelineSpec {
  return keptSpec(`ops/rope_append ${dtype} ${pairing}`, () => ({
    label: 'rope append',
    module: 'ops/rope_append',
    sources,
    conditions: { KV_F32: dtype === 'f32', KV_F16: dtype === 'f16', NEIGHBOURS: pairing === 'neighbours' },
    bindings: ['uniform', 'read', 'read', 'read', 'write', 'write', 'write'],
  }));
}

/** Records q, and rows state[0] .. state[0] + M - 1 of the caches. The caller sees to it that they have room. */
export function ropeAppend(gpu: Gpu, call: RopeAppendCall): void {
  const { qkv, angles, pairing, state, q, keys, values } = call;
  const [, tokens, headsQ, headDim] = q.shape as [number, number, number, number];
  const [, capacity, headsKv] = keys.shape as [number, number, number];
  const [positions, pairs] = angles.shape as [number, number];
  if (qkv.size !== tokens * (headsQ + 2 * headsKv) * headDim) {
    throw new ArgumentError('qkv', describe(qkv), `[${tokens}, ${(headsQ + 2 * headsKv) * headDim}]`);
  }
  if (keys.dtype !== values.dtype || (keys.dtype !== 'f32' && keys.dtype !== 'f16')) {
    throw new ArgumentError('keys', describe(keys), 'f32 or f16, as values');
  }
  gpu.dispatch({
    pipeline: gpu.pipeline(ropeAppendSpec(keys.dtype, pairing)),
    bindings: [null, qkv, angles, state, q, keys, values],
    params: new ParamWriter()
      .u32(tokens)
      .u32(headsQ)
      .u32(headsKv)
      .u32(headDim)
      .u32(pairs)
      .u32(capacity)
      .u32(positions)
      .done(),
    workgroups: flatGrid(gpu, qkv.size / 2),
  });
}

/** (cos, sin) of every position and pair, `[positions, pairs, 2]`, each computed in float64 and rounded once. */
export function rotaryAngles({ theta, dims }: RopeConfig, positions: number): Float32Array {
  const pairs = dims / 2;
  const table = new Float32Array(positions * pairs * 2);
  for (let pair = 0; pair < pairs; pair++) {
    const frequency = theta ** (-pair / pairs);
    for (let position = 0; position < positions; position++) {
      const at = (position * pairs + pair) * 2;
      table[at] = Math.cos(position * frequency);
      table[at + 1] = Math.sin(position * frequency);
    }
  }
  return table;
}
