/** Queries and keys turn by their position; keys and values go into the cache (rope_append.wesl). */
import { row8Bytes } from '../formats/rows8';
import type { QueryKeyNorm, RopePairing } from '../formats/model';
import { ArgumentError, describe, flatGrid, keptSpec, ParamWriter } from '../device';
import type { DType, Gpu, PipelineSpec, Tensor } from '../device';
import { sources } from './shaders';

/** What is done to queries and keys before they turn. */
export interface QueryKeyBlocks {
  readonly pairing: RopePairing;
  readonly biased: boolean;
  readonly norm: QueryKeyNorm;
}

export interface RopeAppendCall {
  /** `[M, (Hq + 2 Hkv) D]` f32: what the product of q, k and v gave. */
  readonly qkv: Tensor;
  /** `[positions, pairs, 2]` f32 of (cos, sin); undefined: nothing turns. */
  readonly angles: Tensor | undefined;
  readonly pairing: RopePairing;
  /** `[(Hq + 2 Hkv) D]` f32. */
  readonly bias?: Tensor;
  /** RMSNorm of queries and keys: gains of q, then of k, `[2 D]` for each head's, `[(Hq + Hkv) D]` for all heads'. */
  readonly norm?: { readonly kind: Exclude<QueryKeyNorm, 'none'>; readonly gain: Tensor; readonly eps: number };
  /** i32; its first element is the position of the first row. */
  readonly state: Tensor;
  /** `[1, M, Hq, D]` f32. */
  readonly q: Tensor;
  /** `[1, rows, Hkv, D]`, f32 or f16, or rows of 8 bits: u8 `[1, rows, Hkv, D + 4]`. */
  readonly keys: Tensor;
  readonly values: Tensor;
  /** Positions that the sequence may have; default as many as there are rows. With fewer rows these are a ring. */
  readonly positions?: number;
}

export function ropeAppendSpec(dtype: DType, { pairing, biased, norm }: QueryKeyBlocks): PipelineSpec {
  return keptSpec(`ops/rope_append ${dtype} ${pairing} ${biased} ${norm}`, () => ({
    label: 'rope append',
    module: 'ops/rope_append',
    sources,
    conditions: {
      KV_F32: dtype === 'f32',
      KV_F16: dtype === 'f16',
      KV_ROWS8: dtype === 'u8',
      BY_HEAD: norm !== 'none' || dtype === 'u8',
      NEIGHBOURS: pairing === 'neighbours',
      BIASED: biased,
      HEAD_NORM: norm === 'head',
      TOKEN_NORM: norm === 'token',
    },
    bindings: [
      'uniform',
      'read',
      'read',
      'read',
      'write',
      'write',
      'write',
      biased ? 'read' : 'none',
      norm === 'none' ? 'none' : 'read',
    ],
  }));
}

/** Records q, and rows state[0] .. state[0] + M - 1 of the caches, modulo how many there are. The caller sees to it that they have room. */
export function ropeAppend(gpu: Gpu, call: RopeAppendCall): void {
  const { qkv, angles, pairing, bias, norm, state, q, keys, values } = call;
  const [, tokens, headsQ, headDim] = q.shape as [number, number, number, number];
  const [, rows, headsKv] = keys.shape as [number, number, number];
  checkCall(call);
  const [positions, pairs] = angles ? (angles.shape as [number, number]) : [1, 0];
  const blocks = { pairing, biased: bias !== undefined, norm: norm?.kind ?? 'none' } as const;
  const heads = headsQ + 2 * headsKv;
  gpu.dispatch({
    pipeline: gpu.pipeline(ropeAppendSpec(keys.dtype, blocks)),
    // What nothing turns by is bound all the same: to anything that is only read.
    bindings: [null, qkv, angles ?? qkv, state, q, keys, values, bias ?? null, norm?.gain ?? null],
    params: new ParamWriter()
      .u32(tokens)
      .u32(headsQ)
      .u32(headsKv)
      .u32(headDim)
      .u32(pairs)
      .u32(rows)
      .u32(positions)
      .f32(norm?.eps ?? 0)
      .u32(call.positions ?? rows)
      .done(),
    workgroups: norm || keys.dtype === 'u8' ? flatGrid(gpu, tokens * heads, 1) : flatGrid(gpu, qkv.size / 2),
  });
}

function checkCall({ qkv, bias, norm, q, keys, values }: RopeAppendCall): void {
  const [, tokens, headsQ, headDim] = q.shape as [number, number, number, number];
  const headsKv = keys.shape[2]!;
  const row = (headsQ + 2 * headsKv) * headDim;
  if (qkv.size !== tokens * row) throw new ArgumentError('qkv', describe(qkv), `[${tokens}, ${row}]`);
  if (keys.dtype !== values.dtype || !['f32', 'f16', 'u8'].includes(keys.dtype)) {
    throw new ArgumentError('keys', describe(keys), 'f32, f16 or u8, as values');
  }
  const kept = keys.dtype === 'u8' ? row8Bytes(headDim) : headDim;
  if (keys.shape[3] !== kept) throw new ArgumentError('keys', describe(keys), `rows of ${kept}`);
  if (bias && bias.size !== row) throw new ArgumentError('bias', describe(bias), `f32 [${row}]`);
  if (!norm) return;
  const gains = norm.kind === 'head' ? 2 * headDim : (headsQ + headsKv) * headDim;
  if (norm.gain.size !== gains) throw new ArgumentError('norm.gain', describe(norm.gain), `f32 [${gains}]`);
}
