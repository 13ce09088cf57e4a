/** A request's body as JSON, within a bound. */
import { boundedText } from './bounded-text';
import { ApiError } from './errors';

/** @param most bytes */
export async function readJsonBody(request: Request, most: number): Promise<unknown> {
  // Pages of other sites may send plain text here without asking anybody, but not this.
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new ApiError(`Content-Type is «${type}»; expected «application/json»`, {
      status: 415,
      code: 'unsupported_media_type',
    });
  }
  const text = await readText(request, most);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ApiError(`The body is no JSON: ${why}`, { status: 400, code: 'invalid_json' });
  }
}

async function readText(request: Request, most: number): Promise<string> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  const text = declared > most ? undefined : await boundedText(request.body, most);
  if (text !== undefined) return text;
  throw new ApiError(`The body is larger than ${most} bytes.`, { status: 413, code: 'body_too_large' });
}
