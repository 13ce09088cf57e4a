/**
 * One operator of ONNX Runtime, as an oracle: a model of a single node is written in memory and run on the CPU.
 *
 * onnxruntime-node lives in tests/oracles, which `npm test` installs; a page has none of it.
 */
import { environment } from './gpu';

export type OnnxType = 'float32' | 'float16' | 'int32' | 'int64' | 'bool';

/** Numbers that TensorProto.DataType gives these types. */
const TYPE_NUMBERS: Readonly<Record<OnnxType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10 };

export interface OnnxInput {
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly data: Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;
}

/** A node: its inputs in order, null where an optional one is left out; whole numbers become int attributes. */
export interface OnnxNode {
  readonly operator: string;
  readonly domain: '' | 'com.microsoft';
  readonly inputs: readonly (OnnxInput | null)[];
  readonly outputs: readonly OnnxType[];
  readonly ints?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
}

/** Why the oracle cannot be asked here, if it cannot. */
export async function missingOracle(): Promise<string | undefined> {
  if (environment === 'chromium') return 'ONNX Runtime is asked under Node alone';
  return loadRuntime().then(
    () => undefined,
    () => 'onnxruntime-node is not installed in tests/oracles',
  );
}

/** Runs the node on the CPU; the values of its first output. */
export async function runNode(node: OnnxNode): Promise<Float32Array> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(modelOf(node), { executionProviders: ['cpu'] });
  const feeds: Record<string, unknown> = {};
  node.inputs.forEach((input, n) => {
    if (input) feeds[`in${n}`] = new Tensor(input.type, input.data, input.dims);
  });
  const results = await session.run(feeds);
  await session.release();
  return results.out0!.data as Float32Array;
}

// ---- the runtime -----------------------------------------------------------------------------------------------

/** What we use of onnxruntime-node. */
interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: { executionProviders: readonly string[] }): Promise<Session>;
  };
  readonly Tensor: new (type: string, data: OnnxInput['data'], dims: readonly number[]) => unknown;
}

interface Session {
  run(feeds: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, { readonly data: unknown }>>>;
  release(): Promise<void>;
}

async function loadRuntime(): Promise<Runtime> {
  const { createRequire } = await import('node:module');
  const fromOracles = createRequire(new URL('../oracles/package.json', import.meta.url));
  return fromOracles('onnxruntime-node') as Runtime;
}

// ---- a protobuf writer, as large as a model of one node needs ----------------------------------------------------

/** onnx.proto: the numbers of the fields that we write. */
const MODEL = { irVersion: 1, graph: 7, opsetImport: 8 } as const;
const OPSET = { domain: 1, version: 2 } as const;
const GRAPH = { node: 1, name: 2, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, opType: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { name: 1, float: 2, int: 3, type: 20 } as const;
const ATTRIBUTE_TYPE = { float: 1, int: 2 } as const;
const VALUE_INFO = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR_TYPE = { elementType: 1, shape: 2 } as const;
const SHAPE = { dimension: 1 } as const;
const DIMENSION = { name: 2 } as const;

const IR_VERSION = 11;
const ONNX_OPSET = 23;
const MICROSOFT_OPSET = 1;

function modelOf({ operator, domain, inputs, outputs, ints = {}, floats = {} }: OnnxNode): Uint8Array {
  const inputNames = inputs.map((input, n) => (input ? `in${n}` : ''));
  const node = message(
    ...inputNames.map((name) => text(NODE.input, name)),
    ...outputs.map((_, n) => text(NODE.output, `out${n}`)),
    text(NODE.opType, operator),
    ...Object.entries(ints).map(([name, value]) => bytes(NODE.attribute, intAttribute(name, value))),
    ...Object.entries(floats).map(([name, value]) => bytes(NODE.attribute, floatAttribute(name, value))),
    text(NODE.domain, domain),
  );
  const graph = message(
    bytes(GRAPH.node, node),
    text(GRAPH.name, 'one node'),
    ...inputs.flatMap((input, n) =>
      input ? [bytes(GRAPH.input, valueInfo(`in${n}`, input.type, input.dims.length))] : [],
    ),
    ...outputs.map((type, n) => bytes(GRAPH.output, valueInfo(`out${n}`, type, undefined))),
  );
  return message(
    varint(MODEL.irVersion, IR_VERSION),
    bytes(MODEL.graph, graph),
    bytes(MODEL.opsetImport, message(text(OPSET.domain, ''), varint(OPSET.version, ONNX_OPSET))),
    bytes(MODEL.opsetImport, message(text(OPSET.domain, 'com.microsoft'), varint(OPSET.version, MICROSOFT_OPSET))),
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

/** A name and a type; dimensions are symbols, or all unknown where `rank` is. */
function valueInfo(name: string, type: OnnxType, rank: number | undefined): Uint8Array {
  const dimensions = Array.from({ length: rank ?? 0 }, (_, d) =>
    bytes(SHAPE.dimension, message(text(DIMENSION.name, `${name}_${d}`))),
  );
  const shape = rank === undefined ? [] : [bytes(TENSOR_TYPE.shape, message(...dimensions))];
  const tensor = message(varint(TENSOR_TYPE.elementType, TYPE_NUMBERS[type]), ...shape);
  return message(text(VALUE_INFO.name, name), bytes(VALUE_INFO.type, message(bytes(TYPE.tensor, tensor))));
}

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
