/**
 * Every error of this floor. Each carries a `code` that programs branch on and a message that a person can act on.
 */

export type GpuErrorCode =
  | 'no-webgpu'
  | 'no-adapter'
  | 'limit'
  | 'lost'
  | 'out-of-memory'
  | 'shader'
  | 'argument'
  | 'self-test'
  | 'validation'
  | 'nothing-allowed';

export class GpuError extends Error {
  override readonly name: string = 'GpuError';

  constructor(
    readonly code: GpuErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** There is no `navigator.gpu`, or in Node no `webgpu` package. */
export class NoWebGpuError extends GpuError {
  override readonly name = 'NoWebGpuError';

  constructor(message: string, options?: ErrorOptions) {
    super('no-webgpu', message, options);
  }
}

/** WebGPU is there, but it offers no adapter, or the adapter gives no device. */
export class NoAdapterError extends GpuError {
  override readonly name = 'NoAdapterError';

  constructor(message: string, options?: ErrorOptions) {
    super('no-adapter', message, options);
  }
}

/** Something is larger than this device allows. */
export class LimitError extends GpuError {
  override readonly name = 'LimitError';

  constructor(
    readonly limit: string,
    readonly wanted: number,
    readonly offered: number,
    what: string,
  ) {
    super('limit', `${what}: wants ${wanted}, but ${limit} of this device is ${offered}`);
  }
}

/** The device is gone: destroyed by us, or taken away by the driver, the browser, or the operating system. */
export class GpuLostError extends GpuError {
  override readonly name = 'GpuLostError';

  constructor(
    readonly reason: 'destroyed' | 'unknown',
    message: string,
  ) {
    super('lost', message);
  }
}

export class OutOfMemoryError extends GpuError {
  override readonly name = 'OutOfMemoryError';

  constructor(
    readonly wanted: number,
    readonly used: number,
    message: string,
  ) {
    super('out-of-memory', message);
  }
}

export interface ShaderErrorDetails {
  /** WESL module path with its ending, as the room names it: `attention/prefill.wesl`. */
  readonly file: string;
  /** 1-based; 0 where the implementation gave no position. */
  readonly line: number;
  readonly column: number;
  /** The line of WESL that the error points into, empty where unknown. */
  readonly source: string;
}

/** A shader does not link or does not compile. */
export class ShaderError extends GpuError implements ShaderErrorDetails {
  override readonly name = 'ShaderError';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly source: string;

  constructor(label: string, problem: string, details: ShaderErrorDetails, options?: ErrorOptions) {
    super('shader', shaderMessage(label, problem, details), options);
    this.file = details.file;
    this.line = details.line;
    this.column = details.column;
    this.source = details.source;
  }
}

function shaderMessage(label: string, problem: string, { file, line, column, source }: ShaderErrorDetails): string {
  if (line === 0) return `${label}: ${file}: ${problem}`;
  const pointer = source ? `\n  ${source}\n  ${source.slice(0, column - 1).replace(/[^\t]/g, ' ')}^` : '';
  return `${label}: ${file}:${line}:${column}: ${problem}${pointer}`;
}

/** A caller's argument is wrong: which, what it was, what was expected. */
export class ArgumentError extends GpuError {
  override readonly name = 'ArgumentError';

  constructor(
    readonly argument: string,
    readonly got: string,
    readonly expected: string,
  ) {
    super('argument', `${argument}: got ${got}, expected ${expected}`);
  }
}

/** A kernel gave a wrong answer to a question whose answer is known. */
export class SelfTestError extends GpuError {
  override readonly name = 'SelfTestError';

  constructor(message: string, options?: ErrorOptions) {
    super('self-test', message, options);
  }
}

/** WebGPU refused something that we asked of it: a bug of ours or of the browser. */
export class ValidationError extends GpuError {
  override readonly name = 'ValidationError';

  constructor(message: string, options?: ErrorOptions) {
    super('validation', message, options);
  }
}

/** What a listener or an awaiting caller gets when a promise of ours fails with something that is no error of ours. */
export function asGpuError(error: unknown): GpuError {
  if (error instanceof GpuError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new GpuError('validation', message, { cause: error });
}
