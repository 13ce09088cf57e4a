/**
 * Writes GGUF, version 3: for the pocket model and for tests, which need files of every shape.
 *
 *   const parts = writeGguf({ metadata: { 'general.architecture': text('llama') }, tensors });
 *
 * The parts, one after the other, are the file. Tensors' bytes are passed on as they are, not copied.
 */
import { type TensorType, tensorTypeInfo } from '../../../gpu/formats/blocks';
import {
  ALIGNMENT_KEY,
  alignUp,
  DEFAULT_ALIGNMENT,
  GGUF_MAGIC,
  type NumberType,
  VALUE_BYTES,
  VALUE_TYPES,
  type ValueType,
} from './gguf-format';
import { tensorBytes } from './tensor-table';

export type GgufValue =
  | { readonly type: NumberType; readonly value: number }
  | { readonly type: 'u64' | 'i64'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: ValueType; readonly values: readonly GgufValue[] };

export const u32 = (value: number): GgufValue => ({ type: 'u32', value });
export const f32 = (value: number): GgufValue => ({ type: 'f32', value });
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
export const text = (value: string): GgufValue => ({ type: 'string', value });
export const texts = (values: Iterable<string>): GgufValue => array('string', Array.from(values, text));
export const numbers = (of: NumberType, values: Iterable<number>): GgufValue =>
  array(
    of,
    Array.from(values, (value) => ({ type: of, value })),
  );
export const array = (of: ValueType, values: readonly GgufValue[]): GgufValue => ({ type: 'array', of, values });

export interface GgufTensor {
  readonly name: string;
  readonly type: TensorType;
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface GgufContents {
  /** In this order. `general.alignment`, where it is there, is obeyed. */
  readonly metadata: Readonly<Record<string, GgufValue>>;
  readonly tensors: readonly GgufTensor[];
  readonly version?: 2 | 3;
}

export function writeGguf({ metadata, tensors, version = 3 }: GgufContents): Uint8Array[] {
  const alignment = alignmentOf(metadata[ALIGNMENT_KEY]);
  const out = new ByteWriter();
  out.u32(GGUF_MAGIC);
  out.u32(version);
  out.u64(tensors.length);
  const entries = Object.entries(metadata);
  out.u64(entries.length);
  for (const [key, value] of entries) {
    out.text(key);
    out.u32(VALUE_TYPES.indexOf(value.type));
    writeValue(out, value);
  }
  writeTensorTable(out, tensors, alignment);
  out.padTo(alignment);
  return [out.finish(), ...tensors.flatMap(({ bytes }) => [bytes, padding(bytes.length, alignment)])];
}

function alignmentOf(value: GgufValue | undefined): number {
  return value?.type === 'u32' ? value.value : DEFAULT_ALIGNMENT;
}

function writeTensorTable(out: ByteWriter, tensors: readonly GgufTensor[], alignment: number): void {
  let offset = 0;
  for (const { name, type, shape, bytes } of tensors) {
    const { ggml } = tensorTypeInfo(type);
    if (ggml === undefined) throw new TypeError(`${name}: GGUF has no type ${type}.`);
    const expected = tensorBytes('GGUF to write', name, type, shape);
    if (bytes.length !== expected) throw new RangeError(`${name}: has ${bytes.length} bytes instead of ${expected}.`);
    out.text(name);
    out.u32(shape.length);
    for (const size of shape.toReversed()) out.u64(size);
    out.u32(ggml);
    out.u64(offset);
    offset += alignUp(bytes.length, alignment);
  }
}

function writeValue(out: ByteWriter, value: GgufValue): void {
  if (value.type === 'array') {
    out.u32(VALUE_TYPES.indexOf(value.of));
    out.u64(value.values.length);
    for (const member of value.values) {
      if (member.type !== value.of) throw new TypeError(`A ${member.type} cannot stand in an array of ${value.of}.`);
      writeValue(out, member);
    }
  } else if (value.type === 'string') out.text(value.value);
  else if (value.type === 'bool') out.number('u8', Number(value.value));
  else if (typeof value.value === 'bigint') out.bigint(value.value);
  else out.number(value.type, value.value);
}

const SETTERS: Readonly<Record<NumberType, (view: DataView, value: number) => void>> = {
  u8: (view, value) => view.setUint8(0, value),
  i8: (view, value) => view.setInt8(0, value),
  u16: (view, value) => view.setUint16(0, value, true),
  i16: (view, value) => view.setInt16(0, value, true),
  u32: (view, value) => view.setUint32(0, value, true),
  i32: (view, value) => view.setInt32(0, value, true),
  f32: (view, value) => view.setFloat32(0, value, true),
  f64: (view, value) => view.setFloat64(0, value, true),
};

/** Bytes that grow. */
class ByteWriter {
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;
  readonly #encoder = new TextEncoder();

  number(type: NumberType, value: number): void {
    SETTERS[type](this.#room(VALUE_BYTES[type]), value);
  }

  u32(value: number): void {
    this.number('u32', value);
  }

  u64(value: number): void {
    this.bigint(BigInt(value));
  }

  bigint(value: bigint): void {
    this.#room(8).setBigInt64(0, BigInt.asIntN(64, value), true);
  }

  text(value: string): void {
    const bytes = this.#encoder.encode(value);
    this.u64(bytes.length);
    const view = this.#room(bytes.length);
    new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(bytes);
  }

  padTo(alignment: number): void {
    this.#room(alignUp(this.#length, alignment) - this.#length);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** The next `count` bytes, zero so far. */
  #room(count: number): DataView {
    const end = this.#length + count;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const view = new DataView(this.#bytes.buffer, this.#length, count);
    this.#length = end;
    return view;
  }
}

function padding(length: number, alignment: number): Uint8Array {
  return new Uint8Array(alignUp(length, alignment) - length);
}
