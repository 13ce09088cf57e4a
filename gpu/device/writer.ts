/**
 * Streams a tensor's bytes in, in chunks of any length, as a download brings them. Bytes beyond a multiple of 4 wait
 * for the next chunk, since WebGPU writes nothing smaller.
 */
import { bytesPerElement } from '../formats/dtype';
import { alignDown } from './constants';
import { ArgumentError } from './errors';
import { describe } from './tensor';
import type { Tensor } from './tensor';

export class TensorWriter {
  /** Bytes of the tensor. */
  readonly expected: number;
  #written = 0;
  readonly #rest = new Uint8Array(4);
  #restLength = 0;

  constructor(
    private readonly tensor: Tensor,
    private readonly write: (tensor: Tensor, bytes: Uint8Array, byteOffset: number) => void,
  ) {
    this.expected = tensor.size * bytesPerElement(tensor.dtype);
  }

  /** Bytes taken so far. */
  get received(): number {
    return this.#written + this.#restLength;
  }

  push(chunk: Uint8Array): void {
    const received = this.received + chunk.length;
    if (received > this.expected) {
      throw new ArgumentError('chunk', `${received} bytes in all`, `the ${this.expected} of ${describe(this.tensor)}`);
    }
    const complete = received === this.expected;
    const body = this.#fillRest(chunk, complete);
    const whole = complete ? body.length : alignDown(body.length, 4);
    if (whole > 0) this.#send(body.subarray(0, whole));
    this.#rest.set(body.subarray(whole), this.#restLength);
    this.#restLength += body.length - whole;
  }

  /** Throws unless every byte has come. */
  finish(): void {
    if (this.received === this.expected) return;
    throw new ArgumentError('chunks', `${this.received} bytes`, `the ${this.expected} of ${describe(this.tensor)}`);
  }

  /** Lets the chunk complete the bytes that wait; returns what is left of it. */
  #fillRest(chunk: Uint8Array, complete: boolean): Uint8Array {
    if (this.#restLength === 0) return chunk;
    const taken = Math.min(4 - this.#restLength, chunk.length);
    this.#rest.set(chunk.subarray(0, taken), this.#restLength);
    this.#restLength += taken;
    if (this.#restLength === 4 || complete) {
      const bytes = this.#rest.subarray(0, this.#restLength);
      this.#restLength = 0;
      this.#send(bytes);
    }
    return chunk.subarray(taken);
  }

  #send(bytes: Uint8Array): void {
    this.write(this.tensor, bytes, this.#written);
    this.#written += bytes.length;
  }
}
