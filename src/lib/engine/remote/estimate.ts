/** How many tokens a conversation may have for a tokenizer that nobody here knows: by its bytes, learning from what was told. */
import type { Ask } from '../protocol';

/** Three bytes a token is on the safe side for English (four), and about right for Chinese (one letter). */
const USUAL = 1 / 3;
/** What a template puts around each message. */
const AROUND = 8;

const encoder = new TextEncoder();

export class Estimate {
  #tokensPerByte = USUAL;

  of(ask: Ask): number {
    return Math.ceil(bytesOf(ask) * this.#tokensPerByte) + AROUND * ('messages' in ask ? ask.messages.length : 1);
  }

  /** The server told how many it were. Short prompts, of which a template is the better part, teach nothing. */
  learn(ask: Ask, tokens: number): void {
    const bytes = bytesOf(ask);
    if (bytes < 200 || tokens <= 0) return;
    this.#tokensPerByte = Math.min(1, Math.max(1 / 8, tokens / bytes));
  }
}

function bytesOf(ask: Ask): number {
  if ('ids' in ask) return ask.ids.length / USUAL;
  if ('text' in ask) return encoder.encode(ask.text).length;
  const texts = ask.messages.map(({ content, tool_calls: calls }) => {
    const said = typeof content === 'string' ? content : (content ?? []).map(({ text }) => text).join('');
    return said + (calls ? JSON.stringify(calls) : '');
  });
  return encoder.encode(texts.join('') + (ask.tools ? JSON.stringify(ask.tools) : '')).length;
}
