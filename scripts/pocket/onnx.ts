/**
 * Reads weights and the names of their users out of an ONNX file: of the protobuf format just the fields that this
 * takes. Forty lines, against a package and its schema compiler: the file is one, and npm has checked its hash.
 *
 * Fields: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Encoding: https://protobuf.dev/programming-guides/encoding
 */

export interface OnnxTensor {
  readonly name: string;
  /** Outermost first; none for a scalar. */
  readonly shape: readonly number[];
  readonly dataType: number;
  /** Little-endian, as stored: either raw, or one of the typed fields. */
  readonly raw: Uint8Array | undefined;
  readonly floats: readonly number[];
  readonly integers: readonly number[];
}

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
}

/** TensorProto.DataType */
export const FLOAT = 1;
export const UINT8 = 2;
export const INT8 = 3;

export function readOnnx(file: Uint8Array): OnnxGraph {
  const model = readMessage(file);
  const graph = readMessage(one(model, 7));
  const tensors = all(graph, 5).map(readTensor);
  return { nodes: all(graph, 1).map(readNode), tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

function readNode(bytes: Uint8Array): OnnxNode {
  const node = readMessage(bytes);
  return { name: textOf(node, 3), operator: textOf(node, 4), inputs: all(node, 1).map(decode) };
}

function readTensor(bytes: Uint8Array): OnnxTensor {
  const tensor = readMessage(bytes);
  return {
    name: textOf(tensor, 8),
    shape: varints(tensor, 1),
    dataType: varints(tensor, 2)[0] ?? 0,
    raw: all(tensor, 9)[0],
    floats: all(tensor, 4).flatMap(floatsOf),
    integers: varints(tensor, 5),
  };
}

// ---- the wire --------------------------------------------------------------------------------------------------

/** Values by field number, in order: numbers of the varint kind, bytes of all others. */
type Message = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

function readMessage(bytes: Uint8Array): Message {
  const fields = new Map<number, (number | Uint8Array)[]>();
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    const { value, end } = readField(bytes, tag.end, tag.value & 7);
    const field = Math.floor(tag.value / 8);
    fields.set(field, [...(fields.get(field) ?? []), value]);
    at = end;
  }
  return fields;
}

interface Taken<T> {
  readonly value: T;
  readonly end: number;
}

function readField(bytes: Uint8Array, at: number, wireType: number): Taken<number | Uint8Array> {
  if (wireType === 0) return readVarint(bytes, at);
  if (wireType === 1) return takeBytes(bytes, at, 8);
  if (wireType === 5) return takeBytes(bytes, at, 4);
  if (wireType !== 2) throw new Error(`Protobuf: there is no wire type ${wireType}.`);
  const length = readVarint(bytes, at);
  return takeBytes(bytes, length.end, length.value);
}

function takeBytes(bytes: Uint8Array, at: number, length: number): Taken<Uint8Array> {
  if (at + length > bytes.length) throw new Error('Protobuf: a field runs beyond the end.');
  return { value: bytes.subarray(at, at + length), end: at + length };
}

/** Seven bits a byte, lowest first. Nothing that is read here exceeds 2^53, nor is negative. */
function readVarint(bytes: Uint8Array, start: number): Taken<number> {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) break;
    value += (byte & 127) * 128 ** i;
    if (byte < 128) return { value, end: start + i + 1 };
  }
  throw new Error('Protobuf: a number does not end.');
}

const decoder = new TextDecoder();
const decode = (bytes: Uint8Array): string => decoder.decode(bytes);

function all(message: Message, field: number): Uint8Array[] {
  return (message.get(field) ?? []).filter((value) => typeof value !== 'number');
}

function one(message: Message, field: number): Uint8Array {
  const [value] = all(message, field);
  if (!value) throw new Error(`Protobuf: the field ${field} is not there.`);
  return value;
}

function textOf(message: Message, field: number): string {
  return decode(all(message, field)[0] ?? new Uint8Array());
}

/** A repeated field of integers, packed or not. */
function varints(message: Message, field: number): number[] {
  return (message.get(field) ?? []).flatMap((value) => (typeof value === 'number' ? [value] : unpack(value)));
}

/** A part of a repeated field of float32: some packed, or one. */
function floatsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

function unpack(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const { value, end } = readVarint(bytes, at);
    values.push(value);
    at = end;
  }
  return values;
}
