/**
 * What can go wrong with a file of weights. Every message names the file, says what is wrong and, where there is
 * something to do about it, what. An aborted read rejects with the signal's own reason, as `fetch` does.
 */

/** The base of all errors of this room: `error instanceof WeightsError` tells bad files from bugs. */
export abstract class WeightsError extends Error {
  constructor(
    /** The file's name, as its source gives it. */
    readonly file: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${message}`, options);
  }
}

export type FormatProblem =
  /** Not a file of this format at all. */
  | 'format'
  /** A version, byte order or type of tensor that we do not read. */
  | 'unsupported'
  /** The file ends before what it announces. */
  | 'truncated'
  /** Contradicts the format or itself. */
  | 'malformed'
  /** Two keys, or two tensors, of one name. */
  | 'duplicate'
  /** Two tensors share bytes. */
  | 'overlap'
  /** More than any real model has: refused before memory is spent on it. */
  | 'limit'
  /** A key or a tensor that is needed is not there, or is of another kind. */
  | 'missing';

/** The bytes were read, and are wrong. */
export class FormatError extends WeightsError {
  override readonly name = 'FormatError';

  constructor(
    file: string,
    readonly problem: FormatProblem,
    /** Where in the file: a metadata key, a tensor's name, or a part of the header such as «tensor count». */
    readonly field: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(file, `${field}: ${message}`, options);
  }
}

export type SourceProblem =
  /** Nothing answered: offline, no such host, or the server does not allow this page (CORS). */
  | 'network'
  /** The server answered with an error; see `status`. */
  | 'http'
  /** The server sends whole files only. */
  | 'no-range'
  /** The server sent another range than was asked for. */
  | 'wrong-range'
  /** The file is not the one that was opened. */
  | 'changed'
  /** Fewer bytes came than were promised. */
  | 'short'
  /** We asked for bytes outside the file: a bug of ours, or a header that was not checked. */
  | 'outside';

/** The bytes could not be had. */
export class SourceError extends WeightsError {
  override readonly name = 'SourceError';
  /** HTTP status, for the problem `http`. */
  readonly status: number | undefined;

  constructor(
    file: string,
    readonly problem: SourceProblem,
    message: string,
    options: ErrorOptions & { status?: number } = {},
  ) {
    super(file, message, options);
    this.status = options.status;
  }
}
