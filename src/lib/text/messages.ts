/** A conversation as callers hand it in (OpenAI's shape), and as chat templates want to see it. */
import { ArgumentError } from './errors';
import type { Origin } from './specials';

export interface ToolCall {
  readonly id?: string;
  readonly type?: 'function';
  readonly function: {
    readonly name: string;
    /** JSON text, as it comes over the wire, or the object. */
    readonly arguments: string | Readonly<Record<string, unknown>>;
  };
}

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}

export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly content?: string | readonly TextPart[] | null;
  /** What the model thought before it answered. */
  readonly reasoning_content?: string | null;
  readonly tool_calls?: readonly ToolCall[] | null;
  readonly tool_call_id?: string;
  /** Of the tool that answers. */
  readonly name?: string;
}

export interface Tool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string;
    /** JSON schema of an object. */
    readonly parameters?: Readonly<Record<string, unknown>>;
  };
}

/** What a template sees: plain data, without fields that are not there. */
export interface TemplateMessage {
  role: string;
  content: string | null;
  reasoning_content?: string;
  tool_calls?: unknown[];
  tool_call_id?: string;
  name?: string;
}

const ROLES: readonly string[] = ['system', 'developer', 'user', 'assistant', 'tool'];

/** What a template gets for the arguments of a call: most write objects out as JSON, some want JSON text. */
export type ArgumentForm = 'object' | 'text';

export function templateMessages(
  messages: readonly ChatMessage[],
  callArguments: ArgumentForm = 'object',
): TemplateMessage[] {
  if (messages.length === 0) throw new ArgumentError('messages', 'a conversation needs at least one message');
  return messages.map((message, index) => templateMessage(message, index, callArguments));
}

/** Whose words a message's texts are. */
export function messageOrigin(isAnswer: boolean): Origin {
  return isAnswer ? 'model' : 'text';
}

function templateMessage(message: ChatMessage, index: number, form: ArgumentForm): TemplateMessage {
  const { role, reasoning_content: reasoning, tool_call_id: callId, name } = message;
  const calls = message.tool_calls ?? [];
  if (!ROLES.includes(role)) {
    throw new ArgumentError(`messages[${index}].role`, `«${role}» is none of ${ROLES.join(', ')}`);
  }
  return {
    // OpenAI's newer name for what every template calls the system.
    role: role === 'developer' ? 'system' : role,
    content: contentText(message.content, calls.length > 0 ? null : '', `messages[${index}].content`),
    ...(typeof reasoning === 'string' ? { reasoning_content: wellFormed(reasoning) } : {}),
    ...(calls.length > 0 ? { tool_calls: calls.map((call) => templateCall(call, form)) } : {}),
    ...(callId === undefined ? {} : { tool_call_id: callId }),
    ...(name === undefined ? {} : { name }),
  };
}

function contentText(content: ChatMessage['content'], none: string | null, field: string): string | null {
  if (content === undefined || content === null) return none;
  if (typeof content === 'string') return wellFormed(content);
  const texts = content.map((part, i) => {
    // Callers may be JavaScript.
    if ((part.type as string) === 'text' && typeof part.text === 'string') return part.text;
    throw new ArgumentError(`${field}[${i}]`, `«${part.type}» is no text; these models read nothing else`);
  });
  return wellFormed(texts.join(''));
}

function templateCall(call: ToolCall, form: ArgumentForm): unknown {
  const { name, arguments: given } = call.function;
  const id = call.id === undefined ? {} : { id: call.id };
  return { ...id, type: 'function', function: { name, arguments: form === 'text' ? spelt(given) : read(given) } };
}

function read(given: ToolCall['function']['arguments']): unknown {
  return typeof given === 'string' ? parsed(given) : given;
}

/** JSON with spaces where Python's has them, as models were trained on it; a text as it is. */
function spelt(given: unknown, inside = false): string {
  if (typeof given === 'string' && !inside) return given;
  if (typeof given !== 'object' || given === null) return JSON.stringify(given) ?? 'null';
  if (Array.isArray(given)) return `[${given.map((entry) => spelt(entry, true)).join(', ')}]`;
  const fields = Object.entries(given).filter(([, value]) => value !== undefined);
  return `{${fields.map(([key, value]) => `${JSON.stringify(key)}: ${spelt(value, true)}`).join(', ')}}`;
}

function parsed(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? value : json;
  } catch {
    return json; // A model wrote it; what is no JSON is shown as it was.
  }
}

/** Half a surrogate pair has no bytes. */
function wellFormed(text: string): string {
  return text.toWellFormed();
}
