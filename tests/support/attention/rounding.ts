/** Rounding to a storage type, as a tensor of that type would round each number put into it. */
import { bf16Bits, bf16Value, f16Bits, f16Value, type FloatDType } from '$gpu/formats/dtype';

export type Round = (value: number) => number;

const ROUND: Readonly<Record<FloatDType, Round>> = {
  f32: Math.fround,
  f16: (value) => f16Value(f16Bits(value)),
  bf16: (value) => bf16Value(bf16Bits(value)),
};

export function rounder(dtype: FloatDType): Round {
  return ROUND[dtype];
}

/** The numbers as a tensor of `dtype` holds them. */
export function rounded(values: ArrayLike<number>, dtype: FloatDType): Float32Array {
  return Float32Array.from(values, ROUND[dtype]);
}
