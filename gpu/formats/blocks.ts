/**
 * Types of tensors as files store them: how many elements share a block, and how many bytes a block takes.
 *
 * Pure data. The table names every type that a header may hold, so that a file can be inspected and measured even
 * where its types cannot be computed with yet; which of them can be read is told by `canDequantise`, and which a
 * shader can read by gpu/quant.
 */

export interface TensorTypeInfo {
  /** Number of the type in a GGUF header; absent where GGUF has none. */
  readonly ggml?: number;
  /** Name of the type in a safetensors header; absent where safetensors has none. */
  readonly safetensors?: string;
  readonly blockElements: number;
  readonly blockBytes: number;
}

/**
 * Layouts, with `d` and `m` (scale, minimum) in binary16 and codes from low to high bits:
 *
 *   Q4_0   d | 16 bytes, element i in the low half of byte i, element i + 16 in its high half; value (code - 8) d
 *   Q8_0   d | 32 signed bytes; value code d
 *   Q?_K   256 elements, scales of 16 or 32 elements as small integers times d (and m)
 *   IQ?    codes look numbers up in a fixed codebook
 */
export const TENSOR_TYPES = {
  F32: { ggml: 0, safetensors: 'F32', blockElements: 1, blockBytes: 4 },
  F16: { ggml: 1, safetensors: 'F16', blockElements: 1, blockBytes: 2 },
  BF16: { ggml: 30, safetensors: 'BF16', blockElements: 1, blockBytes: 2 },
  F64: { ggml: 28, safetensors: 'F64', blockElements: 1, blockBytes: 8 },
  I8: { ggml: 24, safetensors: 'I8', blockElements: 1, blockBytes: 1 },
  I16: { ggml: 25, safetensors: 'I16', blockElements: 1, blockBytes: 2 },
  I32: { ggml: 26, safetensors: 'I32', blockElements: 1, blockBytes: 4 },
  I64: { ggml: 27, safetensors: 'I64', blockElements: 1, blockBytes: 8 },

  U8: { safetensors: 'U8', blockElements: 1, blockBytes: 1 },
  U16: { safetensors: 'U16', blockElements: 1, blockBytes: 2 },
  U32: { safetensors: 'U32', blockElements: 1, blockBytes: 4 },
  U64: { safetensors: 'U64', blockElements: 1, blockBytes: 8 },
  BOOL: { safetensors: 'BOOL', blockElements: 1, blockBytes: 1 },
  F8_E4M3: { safetensors: 'F8_E4M3', blockElements: 1, blockBytes: 1 },
  F8_E5M2: { safetensors: 'F8_E5M2', blockElements: 1, blockBytes: 1 },

  Q4_0: { ggml: 2, blockElements: 32, blockBytes: 18 },
  Q4_1: { ggml: 3, blockElements: 32, blockBytes: 20 },
  Q5_0: { ggml: 6, blockElements: 32, blockBytes: 22 },
  Q5_1: { ggml: 7, blockElements: 32, blockBytes: 24 },
  Q8_0: { ggml: 8, blockElements: 32, blockBytes: 34 },
  Q8_1: { ggml: 9, blockElements: 32, blockBytes: 36 },

  Q2_K: { ggml: 10, blockElements: 256, blockBytes: 84 },
  Q3_K: { ggml: 11, blockElements: 256, blockBytes: 110 },
  Q4_K: { ggml: 12, blockElements: 256, blockBytes: 144 },
  Q5_K: { ggml: 13, blockElements: 256, blockBytes: 176 },
  Q6_K: { ggml: 14, blockElements: 256, blockBytes: 210 },
  Q8_K: { ggml: 15, blockElements: 256, blockBytes: 292 },

  IQ2_XXS: { ggml: 16, blockElements: 256, blockBytes: 66 },
  IQ2_XS: { ggml: 17, blockElements: 256, blockBytes: 74 },
  IQ3_XXS: { ggml: 18, blockElements: 256, blockBytes: 98 },
  IQ1_S: { ggml: 19, blockElements: 256, blockBytes: 50 },
  IQ4_NL: { ggml: 20, blockElements: 32, blockBytes: 18 },
  IQ3_S: { ggml: 21, blockElements: 256, blockBytes: 110 },
  IQ2_S: { ggml: 22, blockElements: 256, blockBytes: 82 },
  IQ4_XS: { ggml: 23, blockElements: 256, blockBytes: 136 },
  IQ1_M: { ggml: 29, blockElements: 256, blockBytes: 56 },

  TQ1_0: { ggml: 34, blockElements: 256, blockBytes: 54 },
  TQ2_0: { ggml: 35, blockElements: 256, blockBytes: 66 },
  MXFP4: { ggml: 39, blockElements: 32, blockBytes: 17 },
  NVFP4: { ggml: 40, blockElements: 64, blockBytes: 36 },
  Q1_0: { ggml: 41, blockElements: 128, blockBytes: 18 },
  Q2_0: { ggml: 42, blockElements: 64, blockBytes: 18 },
} as const satisfies Readonly<Record<string, TensorTypeInfo>>;

export type TensorType = keyof typeof TENSOR_TYPES;

const ENTRIES = Object.entries(TENSOR_TYPES) as [TensorType, TensorTypeInfo][];
const BY_GGML = new Map(ENTRIES.flatMap(([name, { ggml }]) => (ggml === undefined ? [] : [[ggml, name] as const])));
const BY_SAFETENSORS = new Map(
  ENTRIES.flatMap(([name, { safetensors }]) => (safetensors === undefined ? [] : [[safetensors, name] as const])),
);

export function tensorTypeInfo(type: TensorType): TensorTypeInfo {
  return TENSOR_TYPES[type];
}

/** The type with this number in GGUF headers, or undefined where there is none (or none any more). */
export function tensorTypeFromGgml(id: number): TensorType | undefined {
  return BY_GGML.get(id);
}

/** The type with this name in safetensors headers, or undefined where it is unknown here. */
export function tensorTypeFromSafetensors(name: string): TensorType | undefined {
  return BY_SAFETENSORS.get(name);
}

/**
 * Bytes that `elements` of this type take, which must fill whole blocks: else undefined. So is a number of elements
 * or bytes that a float64 cannot count exactly.
 */
export function byteLengthOf(type: TensorType, elements: number): number | undefined {
  const { blockElements, blockBytes } = tensorTypeInfo(type);
  if (!Number.isSafeInteger(elements) || elements < 0 || elements % blockElements !== 0) return undefined;
  const bytes = (elements / blockElements) * blockBytes;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
