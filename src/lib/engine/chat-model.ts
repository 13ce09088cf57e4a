/**
 * A model one can talk to: a conversation, a text or ids in; an answer as it comes out. The same for the worker and for
 * the command line, for the GPU and for the processor; it knows none of them.
 */
import { type ChatMessage, type ChatTemplate, type Segment, StopMatcher, type Tokenizer } from '$lib/text';
import { EngineFault } from './errors';
import type { GeneratedToken, MaskHook, Sampling } from '$gpu/generate';
import type { Abilities, AnswerEnd, EndReason } from './protocol';
import type { Prompt, Runner } from './runner';

export interface AnswerOptions {
  readonly sampling?: Sampling;
  /** Default: as many as the context holds. */
  readonly maxTokens?: number;
  /** Texts that end the answer; they are not part of it. */
  readonly stop?: readonly string[];
  readonly signal?: AbortSignal;
  /** How many of the likeliest tokens each token comes with. */
  readonly logprobs?: number;
  /** Which tokens may come next, asked before every one. */
  readonly mask?: MaskHook;
  readonly onPrefill?: (done: number, total: number) => void;
}

export interface AnswerPiece {
  /** '' in the middle of a character, or of what may become a stop string. */
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
}

export interface ChatModelParts {
  readonly tokenizer: Tokenizer;
  /** Undefined for a model that only goes on with texts. */
  readonly template: ChatTemplate | undefined;
  readonly runner: Runner;
}

export class ChatModel {
  readonly #parts: ChatModelParts;
  #busy = false;

  constructor(parts: ChatModelParts) {
    this.#parts = parts;
  }

  get context(): number {
    return this.#parts.runner.context;
  }

  get abilities(): Abilities {
    return this.#parts.runner.abilities;
  }

  /** A conversation, up to where the model's answer begins. */
  chatPrompt(messages: readonly ChatMessage[]): Prompt {
    const { template } = this.#parts;
    if (!template) {
      throw new EngineFault(
        'no-template',
        'This model comes without a chat template: it goes on with a text, and is not made for conversations.',
      );
    }
    return this.#promptOf(template.render(messages).segments);
  }

  /** A text to go on with; control tokens spelt out in it count. */
  textPrompt(text: string): Prompt {
    return this.#promptOf([{ text, origin: 'template' }]);
  }

  idPrompt(ids: readonly number[]): Prompt {
    return { ids, text: this.#parts.tokenizer.decode(ids, { special: 'show' }) };
  }

  /** Leaving the loop early, or `signal`, ends the computation within a token; the model stays usable. */
  async *answer(prompt: Prompt, options: AnswerOptions = {}): AsyncGenerator<AnswerPiece, AnswerEnd, undefined> {
    this.#checkPrompt(prompt);
    if (this.#busy) throw new EngineFault('busy', 'The model is answering already. Wait for it, or stop it.');
    this.#busy = true;
    try {
      return yield* this.#run(prompt, options);
    } finally {
      this.#busy = false;
    }
  }

  close(): void {
    this.#parts.runner.close();
  }

  async *#run(prompt: Prompt, options: AnswerOptions): AsyncGenerator<AnswerPiece, AnswerEnd, undefined> {
    const { runner } = this.#parts;
    const { stop = [], signal, maxTokens = Infinity, ...passed } = options;
    const stops = new StopMatcher(stop);
    const ending = new AbortController();
    const start = performance.now();
    let firstTokenMs: number | undefined;
    let tokens = 0;
    const run = runner.run(prompt, {
      ...passed,
      maxTokens: Math.min(maxTokens, runner.context - prompt.ids.length),
      signal: signal ? AbortSignal.any([signal, ending.signal]) : ending.signal,
    });
    try {
      let step = await run.next();
      for (; !step.done; step = await run.next()) {
        firstTokenMs ??= performance.now() - start;
        // Tokens that were under way when the stop string came.
        if (stops.found !== undefined) continue;
        tokens += step.value.count;
        yield { text: stops.push(step.value.text), tokens: step.value.tokens };
        if (stops.found !== undefined) ending.abort();
      }
      const rest = stops.found === undefined ? stops.finish() : '';
      if (rest !== '') yield { text: rest, tokens: [] };
      const { reason, prefill, decode } = step.value;
      return {
        reason: stops.found === undefined ? this.#reasonFor(reason, maxTokens, prompt) : 'stop',
        timings: { tokens, ...(firstTokenMs !== undefined && { firstTokenMs }), prefill, decode },
      };
    } finally {
      ending.abort();
      while (!(await run.next()).done);
    }
  }

  /** We bound the tokens by the context: who asked for more has not got what was asked for. */
  #reasonFor(reason: EndReason, asked: number, prompt: Prompt): EndReason {
    return reason === 'length' && asked > this.context - prompt.ids.length ? 'context' : reason;
  }

  #promptOf(segments: readonly Segment[]): Prompt {
    const { tokenizer } = this.#parts;
    return { ids: tokenizer.encodePrompt(segments), text: tokenizer.promptText(segments) };
  }

  #checkPrompt({ ids }: Prompt): void {
    if (ids.length === 0) throw new EngineFault('context', 'There is nothing to answer: the prompt has no tokens.');
    if (ids.length >= this.context) {
      const message =
        `This conversation has ${ids.length} tokens, and the model holds ${this.context}, its answer included. ` +
        'Start a new conversation, or shorten this one.';
      throw new EngineFault('context', message);
    }
  }
}
