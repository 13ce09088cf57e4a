import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { TENSOR_TYPES, type TensorType } from '../../../gpu/formats/blocks';
import { canDequantise, dequantise } from '../../../gpu/formats/dequantise';
import { f16Bits } from '../../../gpu/formats/dtype';

/**
 * SHA-256 of what ggml's own `dequantize_row_*` (libggml-base of node-llama-cpp 3.22.1) makes of `blocks(type)`: a
 * second implementation, compared bit for bit. `halves` are where in a block the binary16 numbers begin.
 */
const FROM_GGML: readonly { type: TensorType; halves: readonly number[]; sha256: string }[] = [
  { type: 'Q4_0', halves: [0], sha256: '16a7caa0df0552b3384952b0766ba7e9c4a3a0e9ce306c6a33bb0ea59baf2022' },
  { type: 'Q4_1', halves: [0, 2], sha256: '609e8bcfdc8617fee660bd5c52af170140dd61c557a52fbda9ef36c9de3aebc6' },
  { type: 'Q5_0', halves: [0], sha256: '050fd9d3b3efe98d86515d353dafa15638deca47cd34bc0a6ee712ecfde14940' },
  { type: 'Q5_1', halves: [0, 2], sha256: '8bcee8cfa30ad4dc8bfb5481314cca239f1c43c420c63bf7a886924ea6346256' },
  { type: 'Q8_0', halves: [0], sha256: '272eeefbdaca2efb1ef602ef50e4d6e9daa8d389ab25856409c7355179d58060' },
  { type: 'Q2_K', halves: [80, 82], sha256: 'bb6ff76150dfe40940b5d8342812a19e55a71cf8e0146e62445cc758d799a754' },
  { type: 'Q3_K', halves: [108], sha256: '5bd4cef6a0e4623dde194f9dc70bb2907d46a66a13536612049268225fa8c323' },
  { type: 'Q4_K', halves: [0, 2], sha256: 'd27e299180ac1821bace763e6b98d92e138ce7722759f3f6e6e6dc133d68f13c' },
  { type: 'Q5_K', halves: [0, 2], sha256: '75ea0ffac516c6bb2e8c3894ff07647350d05f31f8c96c830bf508764008e85a' },
  { type: 'Q6_K', halves: [208], sha256: 'bee0de9329f5a7374edfcaa22c4c521c25f6c6a6be59c83f4fa1a31e83f5087c' },
  { type: 'IQ4_NL', halves: [0], sha256: 'faad621dc734f6365988d22d8722959e00fa768c4ee5c4f0482e2d3c5b1c488a' },
  { type: 'IQ4_XS', halves: [0], sha256: '1d6d1404c54aa21b11830fa735cc2a6889d6cf6ff60ab2631df0392b1c6f8d38' },
  { type: 'IQ2_XXS', halves: [0], sha256: 'da68ca4addae2731549103165dc5c494c7bf9ade75d3ce3cda49c54f2a5d80be' },
];

/** 64 blocks of 32 or 16 of 256, from xorshift32; scales kept finite by clearing the top bit of their exponent. */
function blocks(type: TensorType, halves: readonly number[]): Uint8Array {
  const { blockElements, blockBytes } = TENSOR_TYPES[type];
  const bytes = new Uint8Array((blockElements === 32 ? 64 : 16) * blockBytes);
  let state = 12345;
  for (let i = 0; i < bytes.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 11;
  }
  for (let at = 0; at < bytes.length; at += blockBytes) for (const half of halves) bytes[at + half + 1]! &= 0xbf;
  return bytes;
}

function sha256(numbers: Float32Array): string {
  return createHash('sha256').update(new Uint8Array(numbers.buffer)).digest('hex');
}

describe('dequantise', () => {
  it.each(FROM_GGML)("gives ggml's numbers for $type, bit for bit", ({ type, halves, sha256: expected }) => {
    expect(sha256(dequantise(type, blocks(type, halves)))).toBe(expected);
  });

  it('reads plain types at any alignment', () => {
    const bytes = new Uint8Array(9);
    new DataView(bytes.buffer).setFloat32(1, -1.5, true);
    new DataView(bytes.buffer).setFloat32(5, 3e-40, true);
    expect(dequantise('F32', bytes.subarray(1))).toEqual(new Float32Array([-1.5, 3e-40]));
    const half = f16Bits(0.1);
    expect(dequantise('F16', new Uint8Array([half & 255, half >> 8]))[0]).toBe(0.0999755859375);
    expect(dequantise('BF16', new Uint8Array([0xc0, 0xbf]))).toEqual(new Float32Array([-1.5]));
  });

  it('writes into a longer array where it is given', () => {
    const out = new Float32Array(3).fill(7);
    expect(dequantise('F16', new Uint8Array([0, 0x3c, 0, 0xc0]), out)).toBe(out);
    expect([...out]).toEqual([1, -2, 7]);
  });

  it('says what is wrong with its arguments', () => {
    expect(() => dequantise('Q8_0', new Uint8Array(33))).toThrow('33 bytes are no whole number of Q8_0 blocks');
    expect(() => dequantise('Q8_0', new Uint8Array(34), new Float32Array(31))).toThrow('need room for 32 elements');
    expect(() => dequantise('IQ1_S', new Uint8Array(50))).toThrow('type IQ1_S cannot be dequantised');
  });

  it('covers the types that the README promises', () => {
    const all = Object.keys(TENSOR_TYPES) as TensorType[];
    expect(all.filter(canDequantise).sort()).toEqual(
      [...FROM_GGML.map((row) => row.type), 'F32', 'F16', 'BF16'].sort(),
    );
  });
});
