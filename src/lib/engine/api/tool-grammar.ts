/** Grammars of answers that have to call a tool, or of which calls have to hold to the tools' schemas. */
import { SchemaGrammar, literal } from '../grammar';
import type { GrammarSpec } from '../protocol';
import type { ChatTools } from './chat-request';
import { invalid, unsupported } from './errors';
import { isObject } from './fields';
import type { AskedTool, ToolChoice } from './messages';
import type { ToolFormat } from './tool-formats';

/** What an answer has to be where it calls no tool. */
export interface AnswerSchema {
  readonly schema: unknown;
  /** Of the schema in the request. */
  readonly path: string;
}

/**
 * Undefined: the model may write what it likes.
 *
 * @param answer an answer is either of this schema, or calls
 */
export function toolGrammar(
  tools: ChatTools,
  asked: readonly AskedTool[],
  choice: ToolChoice,
  answer?: AnswerSchema,
): GrammarSpec | undefined {
  if (choice === 'auto') return answer ? answerOrCalls(tools, asked, answer) : strictTags(tools, asked);
  const called = typeof choice === 'string' ? asked : asked.filter(({ tool }) => tool.function.name === choice.named);
  return forced(tools, called);
}

/** Calls, and nothing else. */
function forced(tools: ChatTools, asked: readonly AskedTool[]): string {
  const grammar = new SchemaGrammar();
  return grammar.toEbnf(callsIn(grammar, tools, asked));
}

function answerOrCalls(tools: ChatTools, asked: readonly AskedTool[], { schema, path }: AnswerSchema): string {
  if (tools.format.bare && mayLookLikeCall(schema)) {
    const why =
      "goes with «tools» only as an object without a «name» here: this model's calls are JSON as well, and could not be told from the answer";
    throw unsupported('response_format', why);
  }
  const grammar = new SchemaGrammar();
  const answer = grammar.schema(schema, path);
  return grammar.toEbnf(`${answer} | ${callsIn(grammar, tools, asked)}`);
}

/** How calls are told from an answer that is JSON itself: they come first or not at all, and with their mark where they have one. */
export function besideAnswer(format: ToolFormat): ToolFormat {
  const { open, call } = format.forced;
  const isMarked = format.begins.some((mark) => `${open}${call('').begin}`.startsWith(mark));
  return { ...format, bare: format.bare && !isMarked, atStart: true };
}

const ELSEWHERE = ['$ref', 'anyOf', 'oneOf', 'allOf', 'if', 'enum', 'const', 'patternProperties', 'dependentSchemas'];

/** Whether something by this schema may be an object with a name; true where it is not plain to see. */
function mayLookLikeCall(schema: unknown): boolean {
  if (!isObject(schema) || schema.type !== 'object' || ELSEWHERE.some((name) => name in schema)) return true;
  const { properties, additionalProperties = false, required = [] } = schema;
  const isClosed = isObject(properties) && Object.keys(properties).length > 0 && additionalProperties === false;
  return !isClosed || 'name' in properties || !Array.isArray(required) || required.includes('name');
}

/** One call, or several one after the other. */
function callsIn(grammar: SchemaGrammar, { format, parallel }: ChatTools, asked: readonly AskedTool[]): string {
  const { open, between, close, call } = format.forced;
  const calls = asked.map(({ tool, path }) => {
    const { begin, end } = call(tool.function.name);
    return `${literal(begin)} ${grammar.schema(parametersOf(tool), path)} ${literal(end)}`;
  });
  const more = parallel ? ` (${literal(between)} call)*` : '';
  grammar.rule('call', calls.join(' | '));
  return `${literal(open)} call${more} ${literal(close)}`;
}

/** Where a tool is strict: free text, in which every call holds to its tool's schema. */
function strictTags({ format }: ChatTools, asked: readonly AskedTool[]): GrammarSpec | undefined {
  if (!asked.some(({ strict }) => strict)) return undefined;
  const [trigger] = format.begins;
  const { open, close, call } = format.forced;
  const tags = asked.map(({ tool, path }) => {
    const { begin, end } = call(tool.function.name);
    const grammar = new SchemaGrammar();
    return {
      begin: open + begin,
      grammar: grammar.toEbnf(grammar.schema(parametersOf(tool), path)),
      end: end + close,
    };
  });
  if (trigger !== undefined && tags.every(({ begin }) => begin.startsWith(trigger))) return { trigger, tags };
  const at = asked.findIndex(({ strict }) => strict);
  const why = "this model's calls have no mark that begins them: force them with «tool_choice», or leave «strict» out";
  throw invalid(`tools[${at}].function.strict`, why, 'unsupported_parameter');
}

/** A tool without parameters takes none. */
function parametersOf({ function: { parameters } }: AskedTool['tool']): Readonly<Record<string, unknown>> {
  return parameters ?? { type: 'object', additionalProperties: false };
}
