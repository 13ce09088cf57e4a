import { describe, expect, it } from 'vitest';
import {
  byteLengthOf,
  TENSOR_TYPES,
  type TensorType,
  tensorTypeFromGgml,
  tensorTypeFromSafetensors,
} from '../../../gpu/formats/blocks';

/** What ggml (as node-llama-cpp 3.22.1 ships it) answers to ggml_blck_size and ggml_type_size, by type number. */
const GGML: readonly (readonly [number, TensorType, number, number])[] = [
  [0, 'F32', 1, 4],
  [1, 'F16', 1, 2],
  [2, 'Q4_0', 32, 18],
  [3, 'Q4_1', 32, 20],
  [6, 'Q5_0', 32, 22],
  [7, 'Q5_1', 32, 24],
  [8, 'Q8_0', 32, 34],
  [9, 'Q8_1', 32, 36],
  [10, 'Q2_K', 256, 84],
  [11, 'Q3_K', 256, 110],
  [12, 'Q4_K', 256, 144],
  [13, 'Q5_K', 256, 176],
  [14, 'Q6_K', 256, 210],
  [15, 'Q8_K', 256, 292],
  [16, 'IQ2_XXS', 256, 66],
  [17, 'IQ2_XS', 256, 74],
  [18, 'IQ3_XXS', 256, 98],
  [19, 'IQ1_S', 256, 50],
  [20, 'IQ4_NL', 32, 18],
  [21, 'IQ3_S', 256, 110],
  [22, 'IQ2_S', 256, 82],
  [23, 'IQ4_XS', 256, 136],
  [24, 'I8', 1, 1],
  [25, 'I16', 1, 2],
  [26, 'I32', 1, 4],
  [27, 'I64', 1, 8],
  [28, 'F64', 1, 8],
  [29, 'IQ1_M', 256, 56],
  [30, 'BF16', 1, 2],
  [34, 'TQ1_0', 256, 54],
  [35, 'TQ2_0', 256, 66],
  [39, 'MXFP4', 32, 17],
  [40, 'NVFP4', 64, 36],
  [41, 'Q1_0', 128, 18],
  [42, 'Q2_0', 64, 18],
];

describe('TENSOR_TYPES', () => {
  it.each(GGML)('agrees with ggml about type %i, %s', (id, name, blockElements, blockBytes) => {
    expect(tensorTypeFromGgml(id)).toBe(name);
    expect(TENSOR_TYPES[name]).toMatchObject({ ggml: id, blockElements, blockBytes });
  });

  it('has no other GGUF type', () => {
    const ids = Object.values(TENSOR_TYPES).flatMap((info) => ('ggml' in info ? [info.ggml] : []));
    expect(ids.sort((a, b) => a - b)).toEqual(GGML.map(([id]) => id));
  });

  it.each([4, 5, 31, 36, 43, -1, 2 ** 32 - 1])('knows no type %i: removed, or not there yet', (id) => {
    expect(tensorTypeFromGgml(id)).toBeUndefined();
  });

  it("finds safetensors' names, and only those", () => {
    expect(tensorTypeFromSafetensors('BF16')).toBe('BF16');
    expect(tensorTypeFromSafetensors('F8_E4M3')).toBe('F8_E4M3');
    expect(tensorTypeFromSafetensors('Q8_0')).toBeUndefined();
    expect(tensorTypeFromSafetensors('constructor')).toBeUndefined();
  });
});

describe('byteLengthOf', () => {
  it('counts whole blocks', () => {
    expect(byteLengthOf('Q8_0', 64)).toBe(68);
    expect(byteLengthOf('F16', 3)).toBe(6);
    expect(byteLengthOf('Q4_K', 0)).toBe(0);
  });

  it.each([
    ['a part of a block', 'Q8_0', 33],
    ['a negative number', 'F32', -1],
    ['more elements than can be counted', 'F32', 2 ** 53],
    ['more bytes than can be counted', 'F32', 2 ** 52],
    ['no number', 'F32', NaN],
  ] as const)('refuses %s', (_, type, elements) => {
    expect(byteLengthOf(type, elements)).toBeUndefined();
  });
});
