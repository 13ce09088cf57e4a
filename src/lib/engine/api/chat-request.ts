/** The body of `/v1/chat/completions`, checked: what it asks for, in the engine's words. */
import type { ChatMessage, Tool } from '$lib/text';
import { ebnfOfRegex, ebnfOfSchema, requireBounded } from '../grammar';
import type { GrammarSpec, LoadedModel } from '../protocol';
import { invalid, unsupported } from './errors';
import { Fields, isObject, kindOf } from './fields';
import { readMessages, readToolChoice, readTools, type AskedTool, type ToolChoice } from './messages';
import { readCommon, type CommonRequest } from './sampling';
import { besideAnswer, toolGrammar, type AnswerSchema } from './tool-grammar';
import { TOOL_FORMATS, type ToolFormat } from './tool-formats';

export interface ChatCompletion extends CommonRequest {
  readonly messages: readonly ChatMessage[];
  /** The last message is an answer, and the model goes on with it. */
  readonly continues: boolean;
  readonly maxTokens: number | undefined;
  /** Likeliest tokens to tell of with each; undefined: no log-probabilities. */
  readonly logprobs: number | undefined;
  readonly tools: ChatTools | undefined;
  readonly grammar: GrammarSpec | undefined;
}

/** The tools that the model may call. */
export interface ChatTools {
  readonly list: readonly Tool[];
  readonly format: ToolFormat;
  /** Whether it may call more than one. */
  readonly parallel: boolean;
}

const MOST_TOP = 20;

export function readChatCompletion(value: unknown, model: LoadedModel): ChatCompletion {
  const body = new Fields(value, '');
  const common = readCommon(body);
  const messages = readMessages(body);
  const continues = readContinues(body, messages);
  const maxTokens = readMaxTokens(body);
  const logprobs = readLogprobs(body);
  const asked = readTools(body);
  const choice = readToolChoice(body, asked);
  const parallel = body.flag('parallel_tool_calls') ?? true;
  const format = readFormat(body.object('response_format'));
  body.only('store', [false], 'nothing is stored here');
  body.only('modalities', [['text']], 'the models here write text alone');
  body.refuseOthers();
  const tools = toolsOf(asked, choice, parallel, model, format !== undefined);
  if (format !== undefined && common.stop.length > 0) {
    throw unsupported('stop', 'goes with no «response_format»: the answer would end before it is whole');
  }
  const grammar = tools ? grammarWithTools(tools, asked, choice, format) : format?.ebnf();
  requireAbility(model, grammar, format === undefined ? 'tool_choice' : 'response_format', logprobs);
  return { ...common, messages, continues, maxTokens, logprobs, tools, grammar };
}

/** As vLLM calls it, whose two fields say the same twice. */
function readContinues(body: Fields, messages: readonly ChatMessage[]): boolean {
  const continues = body.flag('continue_final_message') ?? false;
  body.only('add_generation_prompt', [!continues], 'is the opposite of «continue_final_message»');
  if (continues && messages.at(-1)?.role !== 'assistant') {
    throw invalid('continue_final_message', 'goes with an assistant’s message at the end');
  }
  return continues;
}

/** Both names are in use. */
function readMaxTokens(body: Fields): number | undefined {
  const [newer, older] = [body.whole('max_completion_tokens', 1), body.whole('max_tokens', 1)];
  if (newer !== undefined && older !== undefined && newer !== older) {
    throw invalid('max_tokens', `is ${older}, and «max_completion_tokens» ${newer}; give one of them`);
  }
  return newer ?? older;
}

function readLogprobs(body: Fields): number | undefined {
  const wanted = body.flag('logprobs') ?? false;
  const top = body.whole('top_logprobs', 0, MOST_TOP);
  if (top !== undefined && !wanted) throw invalid('top_logprobs', 'goes with «logprobs»: true');
  return wanted ? (top ?? 0) : undefined;
}

function grammarWithTools(
  tools: ChatTools,
  asked: readonly AskedTool[],
  choice: ToolChoice,
  format: Format | undefined,
): GrammarSpec | undefined {
  if (format && !format.schema) {
    throw unsupported('response_format', 'goes with «tools» as JSON or not at all: two grammars cannot be made one');
  }
  return toolGrammar(tools, asked, choice, format?.schema);
}

/** What a text has to be. */
interface Format {
  readonly ebnf: () => string;
  /** Where a JSON schema says it. */
  readonly schema?: AnswerSchema;
}

function schemaFormat(schema: unknown, path: string): Format {
  return { ebnf: () => ebnfOfSchema(schema, path), schema: { schema, path } };
}

/** Undefined: any text. */
function readFormat(format: Fields | undefined): Format | undefined {
  if (!format) return undefined;
  const type = format.oneOf('type', ['text', 'json_object', 'json_schema', 'grammar', 'regex']);
  if (!type) throw invalid(format.at('type'), 'is missing', 'missing_required_parameter');
  const grammar = {
    text: () => undefined,
    json_object: () => schemaFormat({ type: 'object' }, format.at('type')),
    json_schema: () => readSchema(format.requiredObject('json_schema')),
    grammar: () => readGrammar(format),
    regex: () => ebnfFormat(ebnfOfRegex(format.requiredText('regex'), format.at('regex'))),
  }[type]();
  format.refuseOthers();
  return grammar;
}

function readGrammar(fields: Fields): Format {
  const ebnf = fields.requiredText('grammar');
  requireBounded(ebnf, fields.at('grammar'));
  return ebnfFormat(ebnf);
}

function ebnfFormat(ebnf: string): Format {
  return { ebnf: () => ebnf };
}

/** `strict` says nothing here: answers always hold to the schema. */
function readSchema(fields: Fields): Format {
  fields.labels('name', 'description');
  fields.flag('strict');
  const schema = fields.raw('schema');
  if (!isObject(schema) && schema !== true) {
    throw invalid(fields.at('schema'), `is ${kindOf(schema)}; expected a JSON schema`, 'invalid_type');
  }
  fields.refuseOthers();
  return schemaFormat(schema, fields.at('schema'));
}

function toolsOf(
  asked: readonly AskedTool[],
  choice: ToolChoice,
  parallel: boolean,
  model: LoadedModel,
  formed: boolean,
): ChatTools | undefined {
  if (asked.length === 0 || choice === 'none') return undefined;
  if (!model.toolFormat)
    throw unsupported('tools', `${model.name} knows no tools: its chat template has no place for them`);
  const several = parallel && typeof choice === 'string';
  const format = TOOL_FORMATS[model.toolFormat];
  // An answer of a form may have anything in it; where a call is forced there is none.
  const told = formed && choice === 'auto' ? besideAnswer(format) : format;
  return { list: asked.map(({ tool }) => tool), format: told, parallel: several };
}

function requireAbility(
  { abilities }: LoadedModel,
  grammar: GrammarSpec | undefined,
  field: string,
  logprobs: number | undefined,
): void {
  const why = 'needs a GPU, and the model runs on the processor here';
  if (grammar !== undefined && !abilities.mask) throw unsupported(field, why);
  if (logprobs !== undefined && !abilities.logprobs) throw unsupported('logprobs', why);
}
