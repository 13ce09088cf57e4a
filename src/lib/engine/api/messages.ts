/** The conversation and the tools in a request, checked field by field. */
import type { ChatMessage, TextPart, Tool, ToolCall } from '$lib/text';
import { invalid, unsupported } from './errors';
import { Fields, isObject, kindOf, type JsonObject } from './fields';

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool'] as const;
/** As OpenAI has it. */
const TOOL_NAME = /^[\w-]{1,64}$/;
const MOST_TOOLS = 128;

export function readMessages(body: Fields): ChatMessage[] {
  const list = body.requiredList('messages');
  if (list.length === 0) throw invalid('messages', 'is empty; a conversation needs at least one message');
  return list.map((message, i) => readMessage(new Fields(message, `messages[${i}]`)));
}

function readMessage(fields: Fields): ChatMessage {
  const role = fields.oneOf('role', ROLES);
  if (!role) throw invalid(fields.at('role'), 'is missing', 'missing_required_parameter');
  const calls = role === 'assistant' ? fields.list('tool_calls')?.map((call, i) => readCall(call, fields, i)) : [];
  const content = readContent(fields, role === 'assistant');
  const callId = role === 'tool' ? fields.requiredText('tool_call_id') : undefined;
  const reasoning = role === 'assistant' ? fields.text('reasoning_content') : undefined;
  const name = fields.text('name');
  fields.refuseOthers();
  return {
    role,
    content,
    ...(calls && calls.length > 0 && { tool_calls: calls }),
    ...(callId !== undefined && { tool_call_id: callId }),
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
    ...(name !== undefined && { name }),
  };
}

function readContent(fields: Fields, mayBeMissing: boolean): string | readonly TextPart[] | null {
  const content = fields.raw('content');
  if (content === undefined && mayBeMissing) return null;
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map((part, i) => readPart(part, `${fields.at('content')}[${i}]`));
  throw invalid(fields.at('content'), `is ${kindOf(content)}; expected a string or a list of parts`, 'invalid_type');
}

function readPart(part: unknown, path: string): TextPart {
  const fields = new Fields(part, path);
  const type = fields.requiredText('type');
  if (type !== 'text') throw unsupported(`${path}.type`, `is «${type}»; the models here read text alone`);
  const text = fields.requiredText('text');
  fields.refuseOthers();
  return { type, text };
}

function readCall(call: unknown, message: Fields, index: number): ToolCall {
  const fields = new Fields(call, `${message.at('tool_calls')}[${index}]`);
  fields.oneOf('type', ['function']);
  const id = fields.requiredText('id');
  const called = fields.requiredObject('function');
  const [name, given] = [called.requiredText('name'), called.requiredText('arguments')];
  called.refuseOthers();
  fields.refuseOthers();
  return { id, type: 'function', function: { name, arguments: given } };
}

/** `strict`: the arguments are held to the schema even where the model calls of its own accord. */
export interface AskedTool {
  readonly tool: Tool;
  readonly strict: boolean;
  /** Of the schema in the request. */
  readonly path: string;
}

export function readTools(body: Fields): AskedTool[] {
  const list = body.list('tools') ?? [];
  if (list.length > MOST_TOOLS) throw invalid('tools', `has ${list.length} entries; at most ${MOST_TOOLS} are taken`);
  const tools = list.map((tool, i) => readTool(tool, `tools[${i}]`));
  const names = tools.map(({ tool }) => tool.function.name);
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0) throw invalid(`tools[${twice}].function.name`, `«${names[twice]!}» is there twice`);
  return tools;
}

function readTool(value: unknown, path: string): AskedTool {
  const fields = new Fields(value, path);
  if (!fields.oneOf('type', ['function'])) throw invalid(`${path}.type`, 'is missing', 'missing_required_parameter');
  const told = fields.requiredObject('function');
  const name = told.requiredText('name');
  if (!TOOL_NAME.test(name)) throw invalid(told.at('name'), 'expected up to 64 letters, digits, «_» and «-»');
  const description = told.text('description');
  const parameters = told.raw('parameters');
  if (parameters !== undefined && !isObject(parameters)) {
    throw invalid(told.at('parameters'), `is ${kindOf(parameters)}; expected a JSON schema`, 'invalid_type');
  }
  const strict = told.flag('strict') ?? false;
  told.refuseOthers();
  fields.refuseOthers();
  const tool: Tool = {
    type: 'function',
    function: { name, ...(description !== undefined && { description }), ...(parameters && { parameters }) },
  };
  return { tool, strict, path: told.at('parameters') };
}

/** `named`: this tool has to be called. */
export type ToolChoice = 'none' | 'auto' | 'required' | { readonly named: string };

export function readToolChoice(body: Fields, tools: readonly AskedTool[]): ToolChoice {
  const choice = body.raw('tool_choice');
  if (choice === undefined) return tools.length > 0 ? 'auto' : 'none';
  if (isObject(choice)) return { named: readNamed(choice, tools) };
  const word = body.oneOf('tool_choice', ['none', 'auto', 'required']) ?? 'none';
  if (word === 'required' && tools.length === 0) throw invalid('tool_choice', 'is «required», but there are no tools');
  return word;
}

function readNamed(choice: JsonObject, tools: readonly AskedTool[]): string {
  const fields = new Fields(choice, 'tool_choice');
  fields.oneOf('type', ['function']);
  const named = fields.requiredObject('function');
  const name = named.requiredText('name');
  named.refuseOthers();
  fields.refuseOthers();
  if (tools.some(({ tool }) => tool.function.name === name)) return name;
  throw invalid('tool_choice.function.name', `«${name}» is none of the tools`);
}
