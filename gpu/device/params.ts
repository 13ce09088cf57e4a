/**
 * Parameters of a dispatch: a few numbers that a kernel reads from its uniform binding.
 */
import { alignUp } from './constants';
import { ArgumentError } from './errors';

/** Every uniform binding spans this much of the parameter buffer, whatever the kernel's struct uses of it. */
export const PARAMS_MAX_BYTES = 256;

/** Finished bytes, padded to a multiple of 16 as a uniform struct is. */
export interface Params {
  readonly bytes: Uint8Array;
}

/**
 * Writes u32, i32 and f32 fields in the order of the kernel's struct. Every field takes 4 bytes; WGSL aligns none of
 * the three any wider, so that a struct of scalars needs no padding between them.
 */
export class ParamWriter {
  readonly #view = new DataView(new ArrayBuffer(PARAMS_MAX_BYTES));
  #length = 0;

  u32(value: number): this {
    this.#check('u32', value, Number.isInteger(value) && value >= 0 && value <= 0xffffffff);
    this.#view.setUint32(this.#next(), value, true);
    return this;
  }

  i32(value: number): this {
    this.#check('i32', value, Number.isInteger(value) && value >= -0x80000000 && value <= 0x7fffffff);
    this.#view.setInt32(this.#next(), value, true);
    return this;
  }

  f32(value: number): this {
    this.#view.setFloat32(this.#next(), value, true);
    return this;
  }

  done(): Params {
    return { bytes: new Uint8Array(this.#view.buffer.slice(0, alignUp(this.#length, 16))) };
  }

  #next(): number {
    const at = this.#length;
    if (at + 4 > PARAMS_MAX_BYTES) {
      throw new ArgumentError('params', `more than ${PARAMS_MAX_BYTES} bytes`, `at most ${PARAMS_MAX_BYTES}`);
    }
    this.#length += 4;
    return at;
  }

  #check(type: string, value: number, fits: boolean): void {
    if (!fits) throw new ArgumentError('params', String(value), `a number that fits ${type}`);
  }
}
