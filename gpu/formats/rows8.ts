/**
 * Rows of 8-bit codes, each row with the number that it is scaled by: how a KV cache of 8 bits keeps the heads' keys and
 * values. A row of D elements is D signed bytes (D a multiple of 4) and a float32, its largest magnitude: an element is
 * code / 127 * that. The GPU reads a word of codes as unpack4x8snorm.
 */

/** Bytes behind the codes of a row. */
export const ROW8_SCALE = 4;

export function row8Bytes(elements: number): number {
  return elements + ROW8_SCALE;
}

/** `values`: rows of D elements, one behind the other. */
export function encodeRows8(values: Float32Array, elements: number): Uint8Array<ArrayBuffer> {
  const rows = values.length / elements;
  const bytes = new Uint8Array(rows * row8Bytes(elements));
  const view = new DataView(bytes.buffer);
  for (let row = 0; row < rows; row++) {
    const part = values.subarray(row * elements, (row + 1) * elements);
    const most = part.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const at = row * row8Bytes(elements);
    part.forEach((value, d) => view.setInt8(at + d, most > 0 ? Math.floor((value / most) * 127 + 0.5) : 0));
    view.setFloat32(at + elements, most, true);
  }
  return bytes;
}

export function decodeRows8(bytes: Uint8Array, elements: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows = bytes.length / row8Bytes(elements);
  return Float32Array.from({ length: rows * elements }, (_, i) => {
    const at = Math.floor(i / elements) * row8Bytes(elements);
    return Math.max(view.getInt8(at + (i % elements)) / 127, -1) * view.getFloat32(at + elements, true);
  });
}
