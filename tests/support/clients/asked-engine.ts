/** An engine under Node that does what each question tells it to, as the double in pages does (e2e/engine-double.ts). */
import type { Script } from '../../e2e/engine-double';
import { EngineError } from '$lib/engine/engine-error';
import type { ApiEngine } from '$lib/engine/handle';
import type { AnswerEnd, Ask, GenerateProgress, LoadedModel } from '$lib/engine/protocol';
import { MODEL } from '../../src/lib/engine/api/scripted';

export class AskedEngine implements ApiEngine {
  readonly model: LoadedModel = MODEL;

  async generate(ask: Ask, onProgress: (progress: GenerateProgress) => void, signal: AbortSignal): Promise<AnswerEnd> {
    const { say, times = 1, size = 4, every = 0, fail } = scriptOf(questionOf(ask));
    if (fail) throw new EngineError({ code: fail === 'crash' ? 'worker' : fail, message: 'It was told to fail.' });
    const text = say.repeat(times);
    let tokens = 0;
    for (let at = 0; at < text.length && !signal.aborted; at += size) {
      await new Promise((done) => setTimeout(done, every));
      onProgress({ type: 'text', text: text.slice(at, at + size), tokens: [] });
      tokens += 1;
    }
    const timings = { tokens, prefill: { tokens: 5, reused: 2, ms: 1 }, decode: { tokens, ms: 1 } };
    return { reason: signal.aborted ? 'aborted' : 'end', timings };
  }
}

function scriptOf(question: string): Script {
  return question.startsWith('{') ? (JSON.parse(question) as Script) : { say: question };
}

function questionOf(ask: Ask): string {
  if ('text' in ask) return ask.text;
  if ('ids' in ask) return '';
  const content = ask.messages.findLast(({ role }) => role === 'user')?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('');
}
