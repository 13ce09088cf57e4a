/**
 * Trust: which errors stand between a computed value and the caller who downloads it.
 *
 * Some checks end only after the call they belong to: whether a pipeline compiled, whether a kernel passed its
 * self-test, whether memory was there. Until they have passed, no value is given out; once one has failed, none is,
 * until somebody takes note (`take`). Garbage is never silent.
 */
import type { GpuError } from './errors';
import { asGpuError } from './errors';

/** One broken kernel can fail thousands of dispatches; nobody reads more than the first few errors. */
const MOST_ERRORS = 100;

export class Guards {
  readonly #open = new Set<Promise<void>>();
  readonly #errors: GpuError[] = [];
  #closed = false;

  constructor(private readonly onError: (error: GpuError) => void) {}

  /** Errors that nobody has taken note of. */
  get errors(): readonly GpuError[] {
    return this.#errors;
  }

  /** A check whose outcome is not known yet. */
  add(check: Promise<void>): void {
    const settled = check.then(
      () => undefined,
      (error: unknown) => {
        this.fail(asGpuError(error));
      },
    );
    this.#open.add(settled);
    void settled.then(() => this.#open.delete(settled));
  }

  fail(error: GpuError): void {
    if (this.#closed || this.#errors.length >= MOST_ERRORS) return;
    this.#errors.push(error);
    this.onError(error);
  }

  /**
   * Resolves when all checks have passed; rejects with the first error. A kernel that does not compile makes WebGPU
   * refuse every dispatch of it, and those refusals come sooner than the compiler's words: causes go first.
   */
  async passed(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
    const error = this.#errors.find(({ code }) => code !== 'validation') ?? this.#errors[0];
    if (error) throw error;
  }

  /** The device is gone: what fails from here on fails because of that. */
  close(): void {
    this.#closed = true;
  }

  /** Hands the errors over: from here on values count again. */
  take(): GpuError[] {
    return this.#errors.splice(0);
  }
}
