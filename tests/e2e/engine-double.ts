/**
 * An engine that says what a test tells it to, in the place of the worker: for what a real model does seldom or slowly.
 * A question that is JSON (`Script`) is its script; any other question is answered with itself.
 */
import type { BrowserContext } from 'playwright';

export interface Script {
  /** What it says, in pieces of `size` letters, one every `every` milliseconds. */
  readonly say: string;
  /** As often as this. */
  readonly times?: number;
  readonly size?: number;
  readonly every?: number;
  /** Says what it was told before everything else. */
  readonly tell?: 'system';
  /** Breaks off with this error after what it said; not where it goes on with that. */
  readonly fail?: 'lost' | 'context' | 'crash';
}

/** In the worker's place. Knows nothing but the protocol. */
function double(): void {
  const stopped = new Set<number>();
  const later = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
  type Content = string | { text: string }[];
  const textOf = (content: Content): string =>
    typeof content === 'string' ? content : content.map(({ text }) => text).join('');
  const words = (messages: { content: Content }[]): number =>
    messages.reduce((sum, { content }) => sum + textOf(content).split(/\s+/).length, 3);

  interface Call {
    id: number;
    method: string;
    params: { messages?: { role: string; content: Content }[]; text?: string; continues?: boolean };
  }

  async function answer({ id, method, params }: Call): Promise<void> {
    const done = (result: unknown): void => postMessage({ id, type: 'done', result });
    if (method === 'load') {
      return done({
        name: 'Double',
        path: 'cpu',
        reason: 'asked',
        context: 4096,
        abilities: { mask: true, logprobs: true, penaltiesCount: 'answer' },
        toolFormat: 'hermes',
        bytes: 2 ** 20,
        loadMs: 1,
      });
    }
    const { text: plainText, messages = [{ role: 'user', content: plainText ?? '' }] } = params;
    if (method === 'count') return done(words(messages));
    // A tool has answered: that is what it says.
    const last = messages.at(-1)!;
    const question = textOf(
      last.role === 'tool' ? last.content : messages.findLast(({ role }) => role === 'user')!.content,
    );
    const begun = params.continues ? textOf(messages.at(-1)!.content) : '';
    const plain = { say: question, times: 1, size: 4, every: 1 };
    const script: { -readonly [K in keyof Script]: Script[K] } & typeof plain = question.startsWith('{')
      ? { ...plain, ...(JSON.parse(question) as Partial<Script>) }
      : plain;
    if (script.tell) script.say = textOf(messages.find(({ role }) => role === script.tell)?.content ?? 'nothing');
    const text = script.say.repeat(script.times).slice(begun.length);
    let tokens = 0;
    for (let at = 0; at < text.length && !stopped.has(id); at += script.size) {
      if (script.every > 0) await later(script.every);
      const piece = text.slice(at, at + script.size);
      postMessage({ id, type: 'progress', progress: { type: 'text', text: piece, tokens: [{ id: 1 }] } });
      tokens += 1;
    }
    if (script.fail && !params.continues) {
      if (script.fail === 'crash') throw new Error('The double crashed.');
      postMessage({ id, type: 'failed', failure: { code: script.fail, message: 'The double failed.' } });
      return;
    }
    const prefill = { tokens: 4, reused: words(messages) - 4, ms: 2 };
    const timings = { tokens, firstTokenMs: 3, prefill, decode: { tokens: Math.max(0, tokens - 1), ms: 10 } };
    done({ reason: stopped.has(id) ? 'aborted' : 'end', timings });
  }

  self.addEventListener('message', ({ data }: MessageEvent<Call | { stop: number }>) => {
    if ('stop' in data) stopped.add(data.stop);
    else
      answer(data).catch((error: unknown) => {
        // As an error that nobody caught.
        setTimeout(() => {
          throw error;
        });
      });
  });
}

/** The double as a worker's program. */
export function doubleSource(): string {
  return `(${double.toString()})();`;
}

/** From now on every engine of this browser is a double. */
export async function useDouble(context: BrowserContext): Promise<void> {
  await context.route(/\/workers\/worker[^/]*\.js/, (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      headers: { 'Cross-Origin-Embedder-Policy': 'require-corp' },
      body: doubleSource(),
    }),
  );
}

/** A question that is a script. */
export function script(what: Script): string {
  return JSON.stringify(what);
}
