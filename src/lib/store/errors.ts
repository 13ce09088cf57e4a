/** What can go wrong with getting and keeping models. Every message says what happened, what was kept, and what to do. */

export type StoreProblem =
  /** The text is no address of a model. */
  | 'address'
  /** The hub or the server has no such repository, revision or file, or says so to whom it does not know. */
  | 'not-found'
  /** The publisher wants his terms accepted, or a token, first. */
  | 'gated'
  /** The token is not valid, or has no access. */
  | 'token'
  /** Nothing answers: offline, no such host, or the server does not allow pages to read from it (CORS). */
  | 'network'
  /** The server answers, with an error or with something else than was asked for. */
  | 'server'
  /** The bytes are not those that the hub promises. */
  | 'wrong-bytes'
  /** The browser's share of the disk, or the disk, is full. */
  | 'quota'
  /** The browser keeps nothing for this page. */
  | 'unavailable'
  /** A newer version of the app has changed the store: this page is to be reloaded. */
  | 'outdated'
  /** Bytes that were stored are not there any more, or changed. */
  | 'damaged'
  /** There is no such model in the store. */
  | 'missing'
  /** Files that a person has to choose (again). */
  | 'files';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** HTTP status, where a server refused. */
  readonly status: number | undefined;

  constructor(
    readonly problem: StoreProblem,
    message: string,
    options: ErrorOptions & { status?: number } = {},
  ) {
    super(message, options);
    this.status = options.status;
  }
}

/** An error as records and other threads hold it. */
export interface StoreFailure {
  readonly problem: StoreProblem | 'unknown';
  readonly message: string;
}

export function failureOf(error: unknown): StoreFailure {
  if (error instanceof StoreError) return { problem: error.problem, message: error.message };
  return { problem: 'unknown', message: error instanceof Error ? error.message : String(error) };
}

/** What IndexedDB throws where it is opened or read, in words. */
export function storageError(cause: unknown): unknown {
  const name = nameOf(cause);
  if (name === 'VersionError') return outdated(cause);
  if (name === 'QuotaExceededError') return noRoom(cause);
  return DENIED.includes(name) ? unavailable(cause) : cause;
}

/** As browsers say that a page may keep nothing: private windows, and those without cookies of other sites. */
const DENIED: readonly string[] = [
  'SecurityError',
  'UnknownError',
  'NotAllowedError',
  'InvalidStateError',
  'DataCloneError',
];

/** The same for what was to be written. A full disk is told as DataError («Failed to write blobs») by Chromium. */
export function writeError(cause: unknown): unknown {
  const full = ['QuotaExceededError', 'DataError', 'UnknownError', 'AbortError'];
  return full.includes(nameOf(cause)) ? noRoom(cause) : storageError(cause);
}

function noRoom(cause: unknown): StoreError {
  const message =
    'It could not be written: the disk is full, or the browser gives this page no more of it (private windows get ' +
    'little). What was stored before stays as it was. Delete a model or make room on the disk, then go on.';
  return new StoreError('quota', message, { cause });
}

function nameOf(cause: unknown): string {
  return cause instanceof Error || cause instanceof DOMException ? cause.name : '';
}

export function outdated(cause?: unknown): StoreError {
  const message = 'A newer version of this app runs in another tab. Reload this page; nothing is lost.';
  return new StoreError('outdated', message, { cause });
}

export function unavailable(cause?: unknown): StoreError {
  const message =
    'This browser keeps nothing for this page: it may be a private window, or storage is switched off for it in the ' +
    'settings. Models can still be opened from a file, for as long as the page is open.';
  return new StoreError('unavailable', message, { cause });
}
