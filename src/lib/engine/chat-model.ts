/**
 * A model one can talk to: a conversation, a text or ids in; an answer as it comes out. The same for the worker and for
 * the command line, for the GPU and for the processor; it knows none of them.
 */
import { type ChatMessage, type ChatTemplate, type Segment, StopMatcher, type Tokenizer, type Tool } from '$lib/text';
import { toolFormatOf } from './api/tool-formats';
import { EngineFault } from './errors';
import type { Grammars } from './grammar/masks';
import type { GeneratedToken, MaskHook, Sampling } from '$gpu/generate';
import type { Abilities, AnswerEnd, AnswerPiece, Ask, EndReason, GrammarSpec, ToolFormatName } from './protocol';
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
  /** What the answer has to look like; in place of `mask`. */
  readonly grammar?: GrammarSpec;
  /** Control tokens are part of the text. */
  readonly showControl?: boolean;
  readonly onPrefill?: (done: number, total: number) => void;
}

export interface ChatModelParts {
  readonly tokenizer: Tokenizer;
  /** Undefined for a model that only goes on with texts. */
  readonly template: ChatTemplate | undefined;
  readonly runner: Runner;
  /** Undefined where tokens cannot be masked. */
  readonly grammars?: Grammars;
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

  /** Whether it is made for conversations. */
  get isChat(): boolean {
    return this.#parts.template !== undefined;
  }

  get abilities(): Abilities {
    return this.#parts.runner.abilities;
  }

  /** How it writes its calls of tools; undefined where its template has no place for them. */
  get toolFormat(): ToolFormatName | undefined {
    return this.#parts.template && toolFormatOf(this.#parts.template);
  }

  /** What there is to answer, as a prompt. */
  promptFor(ask: Ask): Prompt {
    if ('messages' in ask) return this.chatPrompt(ask.messages, ask);
    return 'text' in ask ? this.textPrompt(ask.text) : this.idPrompt(ask.ids);
  }

  /**
   * A conversation, up to where the model's answer begins. `continues`: the last message is an answer that broke off, and
   * the prompt ends where it does.
   */
  chatPrompt(
    messages: readonly ChatMessage[],
    { tools = [], continues = false }: { readonly tools?: readonly Tool[]; readonly continues?: boolean } = {},
  ): Prompt {
    const { template } = this.#parts;
    if (!template) {
      throw new EngineFault(
        'no-template',
        'This model comes without a chat template: it goes on with a text, and is not made for conversations.',
      );
    }
    const begun = continues ? messages.at(-1) : undefined;
    if (!begun) return this.#promptOf(template.render(messages, { tools }).segments);
    if (begun.role !== 'assistant' || typeof begun.content !== 'string') {
      throw new EngineFault('context', 'Only an answer of text, as the last message, can be continued.');
    }
    // As the model wrote it, after the prompt that it was given: so all of it is still in the cache.
    const { segments } = template.render(messages.slice(0, -1), { tools });
    return this.#promptOf([...segments, { text: begun.content.toWellFormed(), origin: 'model' }]);
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
    let masks: Awaited<ReturnType<Grammars['open']>> | undefined;
    try {
      const { grammar, ...rest } = options;
      if (grammar === undefined) return yield* this.#run(prompt, rest);
      masks = await this.#grammars().open(grammar);
      return yield* this.#run(prompt, { ...rest, mask: masks.mask });
    } finally {
      masks?.close();
      this.#busy = false;
    }
  }

  close(): void {
    this.#parts.grammars?.close();
    this.#parts.runner.close();
  }

  #grammars(): Grammars {
    const { grammars } = this.#parts;
    if (grammars) return grammars;
    throw new EngineFault(
      'ability',
      'An answer can be held to a grammar on the GPU alone; the processor computes here.',
    );
  }

  async *#run(
    prompt: Prompt,
    options: Omit<AnswerOptions, 'grammar'>,
  ): AsyncGenerator<AnswerPiece, AnswerEnd, undefined> {
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
        const { text, tokens: told } = step.value;
        const spelling = passed.logprobs === undefined ? {} : { spelling: this.#spelling(told) };
        yield { text: stops.push(text), tokens: told, ...spelling };
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

  /** A model may have more tokens than its tokenizer has names for: those read as nothing. */
  #spelling(tokens: readonly GeneratedToken[]): ReadonlyMap<number, Uint8Array> {
    const { tokenizer } = this.#parts;
    const ids = tokens.flatMap(({ id, top = [] }) => [id, ...top.map(([other]) => other)]);
    const known = ids.filter((id) => id < tokenizer.vocabulary.size);
    return new Map(known.map((id) => [id, tokenizer.bytesOf(id)]));
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
