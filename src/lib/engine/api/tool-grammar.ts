/** Grammars of answers that have to call a tool, or of which calls have to hold to the tools' schemas. */
import { SchemaGrammar, literal } from '../grammar';
import type { GrammarSpec } from '../protocol';
import type { ChatTools } from './chat-request';
import { invalid, unsupported } from './errors';
import type { AskedTool, ToolChoice } from './messages';

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
  if (tools.format.bare) {
    const why = "goes with no «tools» here: this model's calls are JSON as well, and could not be told from the answer";
    throw unsupported('response_format', why);
  }
  const grammar = new SchemaGrammar();
  const answer = grammar.schema(schema, path);
  return grammar.toEbnf(`${answer} | ${callsIn(grammar, tools, asked)}`);
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
