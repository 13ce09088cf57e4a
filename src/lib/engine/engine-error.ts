import type { Failure } from './protocol';

/** A call that the worker could not carry out. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: Failure['code'];

  constructor({ code, message }: Failure, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
