/**
 * Chat templates: a conversation in, the model's prompt out, in stretches by template, model and person, so that the
 * tokenizer gives nobody but the template a control token (Tokenizer.encodePrompt).
 *
 * A template is a program that came with a model file. It runs under a budget (jinja-budget.ts) and ends with a
 * TemplateError where it fails, refuses, or does not end.
 */
import { TemplateError } from './errors';
import { stringOf } from './fields';
import { Environment, isArray, isMap, parseTemplate, type Node, type Value } from './jinja';
import { Budget, type TemplateLimits } from './jinja-budget';
import { TemplateInterpreter } from './jinja-interpreter';
import { Origins } from './jinja-origins';
import { messageOrigin, templateMessages, type ChatMessage, type TemplateMessage, type Tool } from './messages';
import type { Segment } from './specials';
import { strftime } from './strftime';

export interface NamedTemplate {
  /** `default`, `tool_use`, ... */
  readonly name: string;
  readonly source: string;
}

/** `bos_token`, `eos_token` and the like, as Tokenizer.specialTexts gives them. */
export type SpecialTexts = Readonly<Record<string, string>>;

export interface RenderOptions {
  readonly tools?: readonly Tool[];
  /** Whether the model thinks first, where it can be told; left out, its own default. */
  readonly thinking?: boolean;
  /** End with the beginning of the model's answer. Default true. */
  readonly addGenerationPrompt?: boolean;
  /** For templates that write the date. Default: the present. */
  readonly now?: Date;
  /** More variables for templates that know them (`reasoning_effort`, `date_string`). */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Instead of those that are measured by the conversation. */
  readonly limits?: Partial<TemplateLimits>;
}

export interface RenderedPrompt {
  readonly text: string;
  /** The same text, by who wrote it. */
  readonly segments: readonly Segment[];
}

/** What a template makes use of, found out by trying. */
export interface TemplateSupport {
  /** It writes a system message; where not, it is put before the first question. */
  readonly system: boolean;
  readonly tools: boolean;
  /** It can be told to think or not to. */
  readonly thinking: boolean;
}

export class ChatTemplate {
  readonly #programs = new Map<string, Node>();
  readonly #sources: readonly string[];
  readonly #specials: SpecialTexts;
  #supports: TemplateSupport | undefined;

  /** @param templates one source, or several by name: `tool_use` is taken where there are tools */
  constructor(templates: string | readonly NamedTemplate[], specials: SpecialTexts = {}) {
    const named = typeof templates === 'string' ? [{ name: 'default', source: templates }] : templates;
    for (const { name, source } of named) this.#programs.set(name, parseTemplate(source));
    if (named.length === 0) throw new TemplateError('template-syntax', 'This model comes without a chat template.');
    this.#sources = named.map(({ source }) => source);
    this.#specials = specials;
  }

  /** Whether one of the templates spells this out. */
  mentions(text: string): boolean {
    return this.#sources.some((source) => source.includes(text));
  }

  get supports(): TemplateSupport {
    return (this.#supports ??= findSupport((messages, options) => this.#tryRun(messages, options)?.text));
  }

  render(messages: readonly ChatMessage[], options: RenderOptions = {}): RenderedPrompt {
    const seen = this.#fit(templateMessages(messages));
    try {
      return this.#run(seen, options);
    } catch (error) {
      if (!(error instanceof TemplateError) || error.code !== 'template-failed') throw error;
      const others = this.#others(messages, seen);
      for (const other of others) {
        const prompt = this.#tryRun(other, options);
        if (prompt) return prompt;
      }
      throw error;
    }
  }

  /** What else a template may take that failed: it had little use for an answer's calls as they were. */
  #others(messages: readonly ChatMessage[], seen: readonly TemplateMessage[]): (readonly TemplateMessage[])[] {
    // Some want the arguments of calls as JSON text; some take no nothing for an answer that only calls tools.
    const calls = seen.some(({ tool_calls }) => tool_calls !== undefined);
    const empty = seen.some(({ content }) => content === null);
    return [
      ...(calls ? [this.#fit(templateMessages(messages, 'text'))] : []),
      ...(empty ? [seen.map((message) => ({ ...message, content: message.content ?? '' }))] : []),
    ];
  }

  /** Puts a system message before the first question where the template writes none. */
  #fit(messages: TemplateMessage[]): TemplateMessage[] {
    const [first, second, ...rest] = messages;
    if (first?.role !== 'system' || second?.role !== 'user' || this.supports.system) return messages;
    return [{ ...second, content: `${first.content ?? ''}\n\n${second.content ?? ''}` }, ...rest];
  }

  #tryRun(messages: readonly TemplateMessage[], options: RenderOptions): RenderedPrompt | undefined {
    try {
      return this.#run(messages, options);
    } catch (error) {
      if (error instanceof TemplateError) return undefined;
      throw error;
    }
  }

  #run(messages: readonly TemplateMessage[], options: RenderOptions): RenderedPrompt {
    const budget = new Budget({ ...limitsFor(messages, options), ...options.limits });
    const origins = new Origins();
    try {
      const globals = this.#globals(messages, options, budget, origins);
      const program = this.#program(options);
      const segments = new TemplateInterpreter(globals, budget, origins).render(program, globals);
      return { text: segments.map(({ text }) => text).join(''), segments };
    } catch (error) {
      throw asTemplateError(error);
    }
  }

  #program({ tools }: RenderOptions): Node {
    const name = tools && tools.length > 0 && this.#programs.has('tool_use') ? 'tool_use' : 'default';
    return this.#programs.get(name) ?? (this.#programs.values().next().value as Node);
  }

  #globals(
    messages: readonly TemplateMessage[],
    options: RenderOptions,
    budget: Budget,
    origins: Origins,
  ): Environment {
    const { tools, thinking, addGenerationPrompt = true, now = new Date(), variables = {} } = options;
    const globals = new Environment();
    for (const [name, value] of Object.entries({ ...CONSTANTS, ...this.#specials })) globals.set(name, value);
    globals.set('raise_exception', raise);
    globals.set('range', (...bounds: number[]) => range(budget, bounds));
    globals.set('strftime_now', (format: unknown) => {
      const pattern = String(format);
      budget.chargeText(pattern.length);
      return strftime(now, pattern);
    });
    globals.set('add_generation_prompt', addGenerationPrompt);
    if (thinking !== undefined) {
      globals.set('enable_thinking', thinking);
      globals.set('thinking', thinking);
    }
    markMessages(globals.set('messages', messages), origins);
    origins.mark(globals.set('tools', tools && tools.length > 0 ? tools : null), 'text');
    for (const [name, value] of Object.entries(variables)) {
      globals.variables.delete(name);
      origins.mark(globals.set(name, value), 'text');
    }
    return globals;
  }
}

/** Templates in tokenizer_config.json (one, or a list by name), and in a chat_template.jinja beside it, which counts more. */
export function jsonTemplates(config: unknown, jinja?: string): NamedTemplate[] {
  const field = (config as { chat_template?: unknown } | null | undefined)?.chat_template;
  const named = Array.isArray(field) ? field.map(namedTemplate) : [];
  const plain = jinja ?? (Array.isArray(field) ? undefined : stringOf(field, 'chat_template'));
  const others = named.filter(({ name }) => plain === undefined || name !== 'default');
  return plain === undefined ? others : [{ name: 'default', source: plain }, ...others];
}

function namedTemplate(value: unknown, index: number): NamedTemplate {
  const entry = (value ?? {}) as { name?: unknown; template?: unknown };
  const field = `chat_template[${index}]`;
  return {
    name: stringOf(entry.name, `${field}.name`) ?? 'default',
    source: stringOf(entry.template, `${field}.template`) ?? '',
  };
}

const CONSTANTS = { true: true, false: false, none: null, True: true, False: false, None: null };

/** What a template may say when it refuses. */
const LONGEST_REASON = 500;

function raise(message: unknown): never {
  throw new TemplateError(
    'template-raised',
    `The chat template refuses this conversation: ${String(message).slice(0, LONGEST_REASON)}`,
  );
}

function range(budget: Budget, [first = 0, second, step = 1]: readonly number[]): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!Number.isFinite(length)) throw new TemplateError('template-failed', 'range() needs numbers, and a step.');
  budget.checkItems(length);
  budget.charge(length);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** Everything in a message is by its writer, but for the role, which is one of a few words. */
function markMessages(messages: Value, origins: Origins): void {
  if (!isArray(messages)) return;
  for (const message of messages.value) {
    if (!isMap(message)) continue;
    const origin = messageOrigin(message.value.get('role')?.value === 'assistant');
    message.value.forEach((value, key) => {
      if (key !== 'role') origins.mark(value, origin);
    });
  }
}

/** A long conversation needs more than a short one; the templates in use need less than a tenth (README, «Measured»). */
function limitsFor(messages: readonly TemplateMessage[], { tools }: RenderOptions): TemplateLimits {
  const length = JSON.stringify([messages, tools ?? []]).length;
  return {
    steps: 200_000 + 2_000 * messages.length + length,
    depth: 200,
    text: 1_000_000 + 8 * length,
    items: 100_000 + length,
    milliseconds: 5_000,
  };
}

function asTemplateError(error: unknown): unknown {
  if (error instanceof TemplateError) return error;
  if (error instanceof RangeError) {
    const message = `The chat template was stopped: it is nested too deeply, or a text in it grew too long (${error.message}).`;
    return new TemplateError('template-budget', message, { cause: error });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new TemplateError('template-failed', `The chat template failed: ${why}`, { cause: error });
}

type TryRender = (messages: readonly TemplateMessage[], options: RenderOptions) => string | undefined;

const PROBE = 'x7probe';

function findSupport(tryRender: TryRender): TemplateSupport {
  const user: TemplateMessage = { role: 'user', content: 'Hi' };
  const tool: Tool = {
    type: 'function',
    function: { name: PROBE, description: '', parameters: { type: 'object', properties: {} } },
  };
  const withSystem = tryRender([{ role: 'system', content: PROBE }, user], {});
  const [on, off] = [true, false].map((thinking) => tryRender([user], { thinking }));
  return {
    system: withSystem?.includes(PROBE) ?? false,
    tools: tryRender([user], { tools: [tool] })?.includes(PROBE) ?? false,
    thinking: on !== off,
  };
}
