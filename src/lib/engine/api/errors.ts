/** Errors as OpenAI's clients expect them: a status, and `{ error: { message, type, param, code } }`. */
import type { Failure } from '../protocol';

interface Details {
  readonly status: number;
  /** The field of the request that is meant. */
  readonly param?: string | undefined;
  readonly code?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #details: Details;

  constructor(message: string, details: Details) {
    super(message);
    this.#details = details;
    this.status = details.status;
    this.headers = details.headers ?? {};
  }

  toJSON(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    const { status, param = null, code = null } = this.#details;
    return { error: { message: this.message, type: typeOf(status), param, code } };
  }

  toResponse(): Response {
    return Response.json(this, { status: this.status, headers: this.headers });
  }
}

/** Names the field in the message too: people read that first. */
export function invalid(param: string, problem: string, code = 'invalid_value'): ApiError {
  return new ApiError(`${param}: ${problem}`, { status: 400, param, code });
}

/** A field that is well-formed, and asks for something that cannot be done here. */
export function unsupported(param: string, problem: string): ApiError {
  return invalid(param, problem, 'unsupported_parameter');
}

export function tooMany(message: string): ApiError {
  return new ApiError(message, { status: 429, code: 'queue_full', headers: { 'Retry-After': '5' } });
}

export function unavailable(message: string, code: string): ApiError {
  return new ApiError(message, { status: 503, code });
}

/** What the engine's own codes are on the wire. The rest is our fault: 500. */
const STATUS: Partial<Record<Failure['code'], Details>> = {
  'no-model': { status: 503, code: 'no_model' },
  busy: { status: 503, code: 'busy' },
  worker: { status: 503, code: 'engine_closed' },
  aborted: { status: 503, code: 'aborted' },
  context: { status: 400, param: 'messages', code: 'context_length_exceeded' },
  'no-template': { status: 400, param: 'messages', code: 'no_chat_template' },
  ability: { status: 400, code: 'unsupported_parameter' },
  grammar: { status: 400, param: 'response_format', code: 'invalid_grammar' },
  model: { status: 400, param: 'messages', code: 'refused_by_template' },
  argument: { status: 400, code: 'invalid_value' },
  limit: { status: 400, code: 'limit_exceeded' },
  'nothing-allowed': { status: 400, param: 'logit_bias', code: 'nothing_allowed' },
};

export function fromFailure({ code, message }: Failure): ApiError {
  return new ApiError(message, STATUS[code] ?? { status: 500, code: 'engine_failed' });
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
