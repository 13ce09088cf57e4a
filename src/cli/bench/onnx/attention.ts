/**
 * Attention cases as ONNX graphs: a chain of GroupQueryAttention nodes, the output of one the queries of the next.
 *
 * A chain tells what an operator costs apart from what a run costs: inputs go up and the output comes down once,
 * however many nodes there are. In decode each node hands its cache to the next, which then appends in place, as the
 * runtime does when it generates; only the first copies.
 */
import { f16ToF32, f32ToF16 } from '$gpu/formats/dtype';
import { dimsOf, inputsOf, type Case, type Inputs } from '$lib/engine/bench/attention/cases';
import type { OnnxGraph, OnnxNode, OnnxType, OnnxValue } from './model';
import type { Feeds, OnnxData, Runtime, RuntimeTensor } from './runtime';

export function chainOf(one: Case, length: number): OnnxGraph {
  const { seqQ, headsQ, headsKv, headDim, seqK } = dimsOf(one);
  const type = typeOf(one);
  const decode = one.schedule === 'decode';
  const queries = [1, seqQ, headsQ * headDim];
  const fresh = [1, seqQ, headsKv * headDim];
  const cache = [1, headsKv, seqK, headDim];
  const past = (n: number) => (n === 0 ? ['pastK', 'pastV'] : [`k${n - 1}`, `v${n - 1}`]);
  const nodes = Array.from({ length }, (_, n): OnnxNode => {
    const inputs = [n === 0 ? 'q' : `o${n - 1}`, 'k', 'v', ...(decode ? past(n) : ['', '']), 'last', 'total'];
    const ints = { num_heads: headsQ, kv_num_heads: headsKv };
    return {
      operator: 'GroupQueryAttention',
      domain: 'com.microsoft',
      inputs,
      outputs: [`o${n}`, `k${n}`, `v${n}`],
      ints,
    };
  });
  const value = (name: string, dims: readonly number[]): OnnxValue => ({ name, type, dims });
  return {
    inputs: [
      ...[value('q', queries), value('k', fresh), value('v', fresh)],
      ...(decode ? [value('pastK', cache), value('pastV', cache)] : []),
      ...['last', 'total'].map((name): OnnxValue => ({ name, type: 'int32', dims: [1] })),
    ],
    // Without their shapes the runtime would not find out that a cache may be appended to in place.
    between: nodes.flatMap((_, n) => [
      ...(n < length - 1 ? [value(`o${n}`, queries)] : []),
      value(`k${n}`, cache),
      value(`v${n}`, cache),
    ]),
    outputs: [value(`o${length - 1}`, queries)],
    nodes,
  };
}

/** The same numbers that our kernels get: in decode the last key is the one that the operator appends. */
export function feedsOf({ Tensor }: Runtime, one: Case, inputs: Inputs = inputsOf(one)): Feeds {
  const { seqQ, seqK, headsQ, headsKv, headDim } = dimsOf(one);
  const type = typeOf(one);
  const float = (data: Float32Array, dims: readonly number[]): RuntimeTensor =>
    new Tensor(type, type === 'float16' ? halves(data) : data, dims);
  const int = (number: number): RuntimeTensor => new Tensor('int32', Int32Array.of(number), [1]);
  const width = headsKv * headDim;
  const newest = (data: Float32Array) => float(data.slice(data.length - seqQ * width), [1, seqQ, width]);
  const past = (data: Float32Array) => float(headsFirst(data, one), [1, headsKv, seqK, headDim]);
  return {
    q: float(inputs.q, [1, seqQ, headsQ * headDim]),
    k: newest(inputs.k),
    v: newest(inputs.v),
    ...(one.schedule === 'decode' ? { pastK: past(inputs.k), pastV: past(inputs.v) } : {}),
    last: int(seqK - 1),
    total: int(seqK),
  };
}

export function floatsOf(data: OnnxData): Float32Array {
  if (!(data instanceof Uint16Array)) return Float32Array.from(data);
  const floats = new Float32Array(data.length);
  f16ToF32(data, floats);
  return floats;
}

function typeOf({ dtype }: Case): OnnxType {
  return dtype === 'f16' ? 'float16' : 'float32';
}

function halves(data: Float32Array): Uint16Array {
  const bits = new Uint16Array(data.length);
  f32ToF16(data, bits);
  return bits;
}

/** `[Sk, Hkv, D]` -> `[Hkv, Sk, D]`. */
function headsFirst(data: Float32Array, one: Case): Float32Array {
  const { seqK, headsKv, headDim } = dimsOf(one);
  const turned = new Float32Array(data.length);
  for (let key = 0; key < seqK; key++) {
    for (let head = 0; head < headsKv; head++) {
      const from = (key * headsKv + head) * headDim;
      turned.set(data.subarray(from, from + headDim), (head * seqK + key) * headDim);
    }
  }
  return turned;
}
