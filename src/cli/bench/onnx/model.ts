/**
 * An ONNX model as bytes, for ONNX Runtime as a peer and as an oracle: nodes and the values between them, no weights.
 *
 * A protobuf writer as large as that needs. Fields are those of onnx.proto; a message is its fields one after another,
 * each led by `number << 3 | kind`, so that writing is joining.
 */

export type OnnxType = 'float32' | 'float16' | 'int32' | 'int64' | 'uint8' | 'bool';

/** Numbers that TensorProto.DataType gives these types. */
const TYPE_NUMBERS: Readonly<Record<OnnxType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};

/** What flows along an edge of the graph. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** Numbers are fixed; names are read from what is fed; without any, the rank is open too. */
  readonly dims?: readonly (number | string)[] | undefined;
}

export interface OnnxNode {
  readonly operator: string;
  readonly domain: '' | 'com.microsoft';
  /** Names of values; empty where an optional one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes. */
  readonly ints?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
}

export interface OnnxGraph {
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Values between nodes whose shape the runtime would not find out by itself. */
  readonly between?: readonly OnnxValue[];
  /** In an order in which each finds its inputs. */
  readonly nodes: readonly OnnxNode[];
}

const MODEL = { irVersion: 1, graph: 7, opsetImport: 8 } as const;
const OPSET = { domain: 1, version: 2 } as const;
const GRAPH = { node: 1, name: 2, input: 11, output: 12, between: 13 } as const;
const NODE = { input: 1, output: 2, opType: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { name: 1, float: 2, int: 3, type: 20 } as const;
const ATTRIBUTE_TYPE = { float: 1, int: 2 } as const;
const VALUE_INFO = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR_TYPE = { elementType: 1, shape: 2 } as const;
const SHAPE = { dimension: 1 } as const;
const DIMENSION = { number: 1, name: 2 } as const;

const IR_VERSION = 11;
const ONNX_OPSET = 23;
const MICROSOFT_OPSET = 1;

export function encodeModel({ inputs, outputs, between = [], nodes }: OnnxGraph): Uint8Array {
  const graph = message(
    ...nodes.map((node) => bytes(GRAPH.node, encodeNode(node))),
    text(GRAPH.name, 'graph'),
    ...inputs.map((value) => bytes(GRAPH.input, encodeValue(value))),
    ...outputs.map((value) => bytes(GRAPH.output, encodeValue(value))),
    ...between.map((value) => bytes(GRAPH.between, encodeValue(value))),
  );
  return message(
    varint(MODEL.irVersion, IR_VERSION),
    bytes(MODEL.graph, graph),
    bytes(MODEL.opsetImport, message(text(OPSET.domain, ''), varint(OPSET.version, ONNX_OPSET))),
    bytes(MODEL.opsetImport, message(text(OPSET.domain, 'com.microsoft'), varint(OPSET.version, MICROSOFT_OPSET))),
  );
}

function encodeNode({ operator, domain, inputs, outputs, ints = {}, floats = {} }: OnnxNode): Uint8Array {
  return message(
    ...inputs.map((name) => text(NODE.input, name)),
    ...outputs.map((name) => text(NODE.output, name)),
    text(NODE.opType, operator),
    ...Object.entries(ints).map(([name, value]) => bytes(NODE.attribute, intAttribute(name, value))),
    ...Object.entries(floats).map(([name, value]) => bytes(NODE.attribute, floatAttribute(name, value))),
    text(NODE.domain, domain),
  );
}

function intAttribute(name: string, value: number): Uint8Array {
  return message(text(ATTRIBUTE.name, name), varint(ATTRIBUTE.int, value), varint(ATTRIBUTE.type, ATTRIBUTE_TYPE.int));
}

function floatAttribute(name: string, value: number): Uint8Array {
  const bits = new Uint8Array(Float32Array.of(value).buffer);
  const tag = varintBytes((ATTRIBUTE.float << 3) | 5);
  return message(text(ATTRIBUTE.name, name), joined([tag, bits]), varint(ATTRIBUTE.type, ATTRIBUTE_TYPE.float));
}

function encodeValue({ name, type, dims }: OnnxValue): Uint8Array {
  const shape = dims && message(...dims.map((dim) => bytes(SHAPE.dimension, encodeDimension(dim))));
  const tensor = message(
    varint(TENSOR_TYPE.elementType, TYPE_NUMBERS[type]),
    ...(shape ? [bytes(TENSOR_TYPE.shape, shape)] : []),
  );
  return message(text(VALUE_INFO.name, name), bytes(VALUE_INFO.type, message(bytes(TYPE.tensor, tensor))));
}

function encodeDimension(dim: number | string): Uint8Array {
  return typeof dim === 'number' ? varint(DIMENSION.number, dim) : text(DIMENSION.name, dim);
}

// ---- protobuf --------------------------------------------------------------------------------------------------

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return joined(fields);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value));
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return joined([varintBytes((field << 3) | 2), varintBytes(value.length), value]);
}

function varint(field: number, value: number): Uint8Array {
  return joined([varintBytes(field << 3), varintBytes(value)]);
}

function varintBytes(value: number): Uint8Array {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
