/** A request's body as JSON, within a bound. */
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
  const tooLarge = (): ApiError =>
    new ApiError(`The body is larger than ${most} bytes.`, { status: 413, code: 'body_too_large' });
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge();
  const decoder = new TextDecoder('utf-8');
  let text = '';
  let bytes = 0;
  const reader = request.body?.getReader();
  for (let step = await reader?.read(); step && !step.done; step = await reader!.read()) {
    bytes += step.value.length;
    if (bytes > most) {
      await reader!.cancel();
      throw tooLarge();
    }
    text += decoder.decode(step.value, { stream: true });
  }
  return text + decoder.decode();
}
