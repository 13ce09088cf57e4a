/** An engine that says what the test tells it, and keeps what it was asked. */
import { EngineError } from '$lib/engine/engine-error';
import type { ApiEngine } from '$lib/engine/handle';
import { createHandler, type HandlerOptions } from '$lib/engine/handle';
import type {
  AnswerEnd,
  AnswerPiece,
  AnswerSettings,
  Ask,
  EndReason,
  Failure,
  GenerateProgress,
  LoadedModel,
} from '$lib/engine/protocol';

export type Asked = Ask & AnswerSettings;

export const MODEL: LoadedModel = {
  name: 'scripted',
  path: 'gpu',
  reason: 'gpu',
  abilities: { mask: true, logprobs: true, penaltiesCount: 'answer' },
  toolFormat: 'hermes',
  context: 100,
  bytes: 1,
  loadMs: 1,
};

export class ScriptedEngine implements ApiEngine {
  readonly asked: Asked[] = [];
  /** Answers that began and have not ended. */
  running = 0;
  mostRunning = 0;
  aborted = 0;
  failure: Failure | undefined;
  reason: EndReason = 'end';
  pieces: readonly (string | AnswerPiece)[] = ['Hel', 'lo'];
  /** Between pieces. */
  pause = (): Promise<void> => Promise.resolve();

  constructor(public model: LoadedModel | undefined = MODEL) {}

  async generate(
    asked: Asked,
    onProgress: (progress: GenerateProgress) => void,
    signal: AbortSignal,
  ): Promise<AnswerEnd> {
    this.asked.push(asked);
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      await this.pause();
      if (this.failure) throw new EngineError(this.failure);
      onProgress({ type: 'prefill', done: 7, total: 7 });
      let tokens = 0;
      for (const piece of this.pieces) {
        if (signal.aborted) break;
        tokens += 1;
        onProgress({ type: 'text', ...(typeof piece === 'string' ? { text: piece, tokens: [] } : piece) });
        await this.pause();
      }
      if (signal.aborted) this.aborted += 1;
      const reason = signal.aborted ? 'aborted' : this.reason;
      const timings = { tokens, prefill: { tokens: 5, reused: 2, ms: 1 }, decode: { tokens, ms: 1 } };
      return { reason, timings };
    } finally {
      this.running -= 1;
    }
  }
}

export function api(engine: ScriptedEngine, options: Partial<HandlerOptions> = {}) {
  const handle = createHandler({ engine, ...options });
  const post = (path: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
    handle(
      new Request(`http://fireside/v1${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
      }),
    );
  const messages = [{ role: 'user', content: 'Hi' }];
  const chat = (fields: Readonly<Record<string, unknown>> = {}, init: RequestInit = {}): Promise<Response> =>
    post('/chat/completions', { model: 'scripted', messages, ...fields }, init);
  return { handle, post, chat };
}

/** The objects of a stream; the last line has to say that it is done. */
export async function eventsOf(response: Response): Promise<Record<string, unknown>[]> {
  const lines = (await response.text()).split('\n\n').filter((line) => line !== '');
  if (lines.at(-1) !== 'data: [DONE]') throw new Error(`the stream ends with ${lines.at(-1)}`);
  return lines.slice(0, -1).map((line) => JSON.parse(line.replace(/^data: /, '')) as Record<string, unknown>);
}
