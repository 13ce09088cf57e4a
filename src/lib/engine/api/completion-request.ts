/** The body of `/v1/completions`, checked. */
import type { Ask, LoadedModel } from '../protocol';
import { invalid, unsupported } from './errors';
import { Fields, kindOf } from './fields';
import { readCommon, type CommonRequest } from './sampling';

export interface TextCompletion extends CommonRequest {
  /** Each is answered `n` times. */
  readonly prompts: readonly Ask[];
  readonly maxTokens: number;
  readonly logprobs: number | undefined;
}

/** As OpenAI has it. */
const USUAL_TOKENS = 16;
const MOST_PROMPTS = 16;

export function readTextCompletion(value: unknown, model: LoadedModel): TextCompletion {
  const body = new Fields(value, '');
  const common = readCommon(body);
  const prompts = readPrompts(body.raw('prompt'));
  const maxTokens = body.whole('max_tokens', 1) ?? USUAL_TOKENS;
  const logprobs = body.whole('logprobs', 0, 20);
  body.only('echo', [false], 'the prompt is not repeated here');
  body.only('best_of', [common.n], 'every answer that is computed is told: take «n»');
  body.only('suffix', [''], 'text is not filled in between two others here');
  body.refuseOthers();
  if (logprobs !== undefined && !model.abilities.logprobs) {
    throw unsupported('logprobs', 'needs a GPU, and the model runs on the processor here');
  }
  return { ...common, prompts, maxTokens, logprobs };
}

/** A text, ids, or a list of either. */
function readPrompts(prompt: unknown): Ask[] {
  if (!Array.isArray(prompt)) return [readPrompt(prompt, 'prompt')];
  if (prompt.length === 0) throw invalid('prompt', 'is empty');
  if (prompt.every((part) => typeof part === 'number')) return [readPrompt(prompt, 'prompt')];
  if (prompt.length > MOST_PROMPTS)
    throw invalid('prompt', `has ${prompt.length} texts; at most ${MOST_PROMPTS} are taken`);
  return prompt.map((part, i) => readPrompt(part, `prompt[${i}]`));
}

function readPrompt(prompt: unknown, path: string): Ask {
  if (prompt === undefined) throw invalid(path, 'is missing', 'missing_required_parameter');
  if (typeof prompt === 'string' && prompt !== '') return { text: prompt };
  const isIds = Array.isArray(prompt) && prompt.length > 0 && prompt.every((id) => Number.isSafeInteger(id) && id >= 0);
  if (isIds) return { ids: prompt as number[] };
  const found = prompt === '' ? 'empty' : kindOf(prompt);
  throw invalid(path, `is ${found}; expected a text or token ids`, 'invalid_type');
}
