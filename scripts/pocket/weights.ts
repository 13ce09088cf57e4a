/**
 * The pocket model's tensors: 8-bit weights of ONNX Runtime's dynamic quantisation, as GGUF's Q8_0.
 *
 * The source has one scale a tensor: `(code - zero point) scale`, with the zero point in the middle, so that the codes
 * are the signed bytes of Q8_0 as they are. What Q8_0 cannot keep is the scale itself: its blocks hold binary16, and
 * of the 57 scales just one is such a number. The others are rounded to the nearest, which moves a tensor as a whole
 * by 0.04 % at most. The exact ones travel along as `fireside.source_scales`.
 */
import { f16Bits } from '../../gpu/formats/dtype';
import { TENSOR_TYPES } from '../../gpu/formats/blocks';
import type { GgufTensor } from '../../src/lib/weights/gguf-writer';
import { FLOAT, INT8, type OnnxGraph, type OnnxTensor, UINT8 } from './onnx';

export interface PocketShape {
  readonly layers: number;
  readonly heads: number;
  readonly headsKv: number;
}

export interface PocketTensor extends GgufTensor {
  /** The source's scale, of a quantised tensor. */
  readonly scale?: number;
}

/** GGUF's name of a linear layer, by its name in the graph. */
const LINEAR: readonly (readonly [string, string])[] = [
  ['self_attn/q_proj', 'attn_q'],
  ['self_attn/k_proj', 'attn_k'],
  ['self_attn/v_proj', 'attn_v'],
  ['self_attn/o_proj', 'attn_output'],
  ['mlp/gate_proj', 'ffn_gate'],
  ['mlp/up_proj', 'ffn_up'],
  ['mlp/down_proj', 'ffn_down'],
];

/** In the order in which a forward pass needs them. The head is the embedding (`tie_word_embeddings`). */
export function pocketTensors(graph: OnnxGraph, shape: PocketShape): PocketTensor[] {
  const blocks = Array.from({ length: shape.layers }, (_, layer) => blockTensors(graph, layer, shape));
  return [
    embedding(graph, 'token_embd.weight', 'model.embed_tokens.weight'),
    norm(graph, 'output_norm.weight', 'model.norm.weight'),
    ...blocks.flat(),
  ];
}

function blockTensors(graph: OnnxGraph, layer: number, shape: PocketShape): PocketTensor[] {
  const rotated: Readonly<Record<string, number>> = { attn_q: shape.heads, attn_k: shape.headsKv };
  const linear = LINEAR.map(([place, name]) => {
    const user = `/model/layers.${layer}/${place}/MatMul_quant`;
    return product(graph, `blk.${layer}.${name}.weight`, user, rotated[name]);
  });
  return [
    ...linear,
    norm(graph, `blk.${layer}.attn_norm.weight`, `model.layers.${layer}.input_layernorm.weight`),
    norm(graph, `blk.${layer}.ffn_norm.weight`, `model.layers.${layer}.post_attention_layernorm.weight`),
  ];
}

function norm(graph: OnnxGraph, name: string, source: string): PocketTensor {
  const { raw, shape, dataType } = tensorOf(graph, source);
  if (dataType !== FLOAT || !raw) throw new Error(`${source} should be raw float32.`);
  return { name, type: 'F32', shape, bytes: raw };
}

/** [vocabulary, width], as the file has it. */
function embedding(graph: OnnxGraph, name: string, source: string): PocketTensor {
  const { codes, shape, scale } = quantised(graph, source);
  return { name, type: 'Q8_0', shape, scale, bytes: q8_0(codes, shape[1], scale) };
}

/** The weights of the product that `user` names: [inputs, outputs] in the file, [outputs, inputs] in ours. */
function product(graph: OnnxGraph, name: string, user: string, rotatedHeads?: number): PocketTensor {
  const node = graph.nodes.find((each) => each.name === user && each.operator === 'MatMulInteger');
  const source = node?.inputs[1]?.replace(/_quantized$/, '');
  if (!source) throw new Error(`The graph has no product ${user}.`);
  const { codes, shape, scale } = quantised(graph, source);
  const [inputs, outputs] = shape;
  const rows = transpose(codes, inputs, outputs);
  const ordered = rotatedHeads ? interleaveHalves(rows, inputs, outputs / rotatedHeads) : rows;
  return { name, type: 'Q8_0', shape: [outputs, inputs], scale, bytes: q8_0(ordered, inputs, scale) };
}

interface Quantised {
  /** Signed: the zero point is taken off. */
  readonly codes: Int8Array;
  readonly shape: readonly [number, number];
  readonly scale: number;
}

function quantised(graph: OnnxGraph, source: string): Quantised {
  const { raw, shape, dataType } = tensorOf(graph, `${source}_quantized`);
  const [scale] = tensorOf(graph, `${source}_scale`).floats;
  const [zeroPoint] = tensorOf(graph, `${source}_zero_point`).integers;
  const [rows, columns, ...more] = shape;
  const middle = dataType === UINT8 ? 128 : 0;
  const symmetric = (dataType === UINT8 || dataType === INT8) && zeroPoint === middle;
  if (!raw || rows === undefined || columns === undefined || more.length > 0 || scale === undefined || !symmetric) {
    throw new Error(`${source} should be a matrix of bytes with one scale and the zero point ${middle}.`);
  }
  return { codes: Int8Array.from(raw, (byte) => byte - middle), shape: [rows, columns], scale };
}

function tensorOf(graph: OnnxGraph, name: string): OnnxTensor {
  const tensor = graph.tensors.get(name);
  if (!tensor) throw new Error(`The ONNX file has no tensor ${name}.`);
  return tensor;
}

/** [rows, columns] to [columns, rows]. */
function transpose(codes: Int8Array, rows: number, columns: number): Int8Array {
  const out = new Int8Array(codes.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = codes[row * columns + column]!;
  return out;
}

/**
 * Hugging Face rotates element i of a head with element i + headDim / 2; llama.cpp's `llama` architecture rotates
 * neighbours. So, in the rows of q and k, each head's two halves are dealt out in turn.
 */
function interleaveHalves(rows: Int8Array, width: number, headDim: number): Int8Array {
  const out = new Int8Array(rows.length);
  for (let row = 0; row * width < rows.length; row++) {
    const inHead = row % headDim;
    const source = row - inHead + (inHead % 2) * (headDim / 2) + Math.floor(inHead / 2);
    out.set(rows.subarray(source * width, (source + 1) * width), row * width);
  }
  return out;
}

/** Blocks of 32 codes, each behind the tensor's own scale. */
function q8_0(codes: Int8Array, width: number, scale: number): Uint8Array {
  const { blockElements, blockBytes } = TENSOR_TYPES.Q8_0;
  if (width % blockElements !== 0) throw new Error(`Rows of ${width} do not divide into blocks of ${blockElements}.`);
  const d = f16Bits(scale);
  const bytes = new Uint8Array(codes.buffer);
  const out = new Uint8Array((codes.length / blockElements) * blockBytes);
  for (let from = 0, to = 0; from < bytes.length; from += blockElements, to += blockBytes) {
    out[to] = d & 255;
    out[to + 1] = d >> 8;
    out.set(bytes.subarray(from, from + blockElements), to + 2);
  }
  return out;
}
