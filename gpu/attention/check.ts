/** Argument checks: every wrong call ends here, with the argument's name, what it was and what was expected. */
import { ArgumentError, Tensor, describe, formatShape } from '../device';
import type { DType } from '../device';
import type { HeadValues, Indices } from './options';
import type { Dims } from './problem';

const FLOATS: readonly DType[] = ['f32', 'f16', 'bf16'];
export const MAX_HEAD_DIM = 256;

/** A float tensor of the given rank; `form` is how the message writes its shape. */
export function checkTensor(argument: string, tensor: Tensor, rank: number, form: string): void {
  if (!(tensor instanceof Tensor)) throw new ArgumentError(argument, String(tensor), `a tensor ${form}`);
  if (tensor.destroyed) throw new ArgumentError(argument, `destroyed ${describe(tensor)}`, `a live tensor ${form}`);
  if (tensor.shape.length !== rank) throw new ArgumentError(argument, describe(tensor), form);
  if (!FLOATS.includes(tensor.dtype)) throw new ArgumentError(argument, describe(tensor), `f32, f16 or bf16 ${form}`);
}

export function checkShapeIs(argument: string, tensor: Tensor, shape: readonly number[], form: string): void {
  if (formatShape(tensor.shape) === formatShape(shape)) return;
  throw new ArgumentError(argument, describe(tensor), `${form} = ${formatShape(shape)}`);
}

export function checkSameDType(argument: string, tensor: Tensor, other: Tensor, otherName: string): void {
  if (tensor.dtype === other.dtype) return;
  throw new ArgumentError(argument, describe(tensor), `the dtype of ${otherName}, ${other.dtype}`);
}

export function checkHeads({ headsQ, headsKv, headDim }: Dims): void {
  if (headDim < 1 || headDim > MAX_HEAD_DIM) {
    throw new ArgumentError('q', `head_dim ${headDim}`, `a head_dim of 1 to ${MAX_HEAD_DIM}`);
  }
  if (headsKv > 0 && headsQ % headsKv === 0) return;
  throw new ArgumentError('k', `${headsKv} heads`, `a number of heads that divides q's ${headsQ}`);
}

/** `out` has the shape and dtype that q asks for, and shares memory with none of the inputs. */
export function checkOut(
  out: Tensor | undefined,
  shape: readonly number[],
  dtype: DType,
  inputs: readonly Tensor[],
): void {
  if (!out) return;
  checkTensor('out', out, shape.length, `the shape of q, ${formatShape(shape)}`);
  checkShapeIs('out', out, shape, 'the shape of q');
  if (out.dtype !== 'f32' && out.dtype !== dtype) {
    throw new ArgumentError('out', describe(out), `f32 or the dtype of q, ${dtype}`);
  }
  if (inputs.some((input) => input.memory === out.memory)) {
    throw new ArgumentError('out', `${describe(out)} in the memory of an input`, 'memory of its own');
  }
}

/** `[Hq]` or `[B, Hq]`, finite on the host. */
export function checkHeadValues(
  argument: string,
  values: HeadValues | undefined,
  { batch, headsQ }: Dims,
  perBatch: boolean,
): void {
  if (values === undefined) return;
  const form = perBatch ? `f32 [Hq] = [${headsQ}] or [B, Hq] = [${batch}, ${headsQ}]` : `f32 [Hq] = [${headsQ}]`;
  if (values instanceof Tensor) {
    const shape = formatShape(values.shape);
    const fits = shape === `[${headsQ}]` || (perBatch && shape === `[${batch}, ${headsQ}]`);
    if (values.destroyed || values.dtype !== 'f32' || !fits) throw new ArgumentError(argument, describe(values), form);
    return;
  }
  const fits = values.length === headsQ || (perBatch && values.length === batch * headsQ);
  if (!fits) throw new ArgumentError(argument, `${values.length} numbers`, form);
  const wrong = Array.from(values).find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new ArgumentError(argument, String(wrong), 'finite numbers');
}

/** `[length]` whole numbers from `low` to `high`; an i32 tensor is checked for its shape and clamped by the kernels. */
export function checkIndices(
  argument: string,
  values: Indices | undefined,
  shape: readonly number[],
  form: string,
  { low, high }: { low: number; high: number },
): void {
  if (values === undefined) return;
  const length = shape.reduce((a, b) => a * b, 1);
  if (values instanceof Tensor) {
    const fits = values.dtype === 'i32' && formatShape(values.shape) === formatShape(shape) && !values.destroyed;
    if (!fits) throw new ArgumentError(argument, describe(values), `i32 ${form} = ${formatShape(shape)}`);
    return;
  }
  if (!(values instanceof Int32Array))
    throw new ArgumentError(argument, typeof values, `an Int32Array or i32 tensor ${form}`);
  if (values.length !== length) {
    throw new ArgumentError(argument, `${values.length} numbers`, `${form}: ${length} numbers`);
  }
  const at = values.findIndex((value) => value < low || value > high);
  if (at >= 0) throw new ArgumentError(`${argument}[${at}]`, String(values[at]), `${low} to ${high}`);
}

/** Starts of sequences: from 0 to the total, never falling, no sequence longer than `longest`. */
export function checkCuSeqlens(argument: string, values: Indices, total: number, longest: number): void {
  if (values instanceof Tensor) return;
  if (values[0] !== 0) throw new ArgumentError(`${argument}[0]`, String(values[0]), '0');
  for (let b = 1; b < values.length; b++) {
    const length = values[b]! - values[b - 1]!;
    if (length < 0) throw new ArgumentError(`${argument}[${b}]`, String(values[b]), `at least ${values[b - 1]}`);
    if (length > longest) {
      throw new ArgumentError(
        `${argument}[${b}]`,
        `a sequence of ${length}`,
        `at most ${longest}, as the maxSeqlen says`,
      );
    }
  }
  const last = values[values.length - 1];
  if (last !== undefined && last > total)
    throw new ArgumentError(argument, `an end at ${last}`, `at most ${total} rows`);
}

export function checkCount(argument: string, value: number, low = 0): void {
  if (Number.isSafeInteger(value) && value >= low) return;
  throw new ArgumentError(argument, String(value), `a whole number from ${low} on`);
}
