/** Tokens that end an answer, by name: model files rarely list more than one of theirs. */
import { Kind, type Vocabulary } from './vocabulary';

const ENDS: readonly string[] = [
  '<|endoftext|>', // GPT-2, Qwen, Phi
  '<|end_of_text|>', // Llama 3, Granite
  '<|eot_id|>', // Llama 3
  '<|eom_id|>', // Llama 3, before a tool answers
  '<|im_end|>', // ChatML
  '<|end|>', // Phi-3
  '<end_of_turn>', // Gemma
  '<eos>', // Gemma
  '</s>', // Llama 2, Mistral
  '<｜end▁of▁sentence｜>', // DeepSeek
  '<|return|>', // gpt-oss
  '<|call|>', // gpt-oss
  '<end_of_utterance>', // SmolVLM
  '<EOT>',
];

/** With these two, `<|end|>` ends a part of the answer only (gpt-oss). */
const PARTS = ['<|return|>', '<|call|>'];

/**
 * All tokens of the vocabulary that end an answer, and `more`, which the file names itself. Some files do not mark
 * them; here they become control tokens, so that nobody can type one.
 */
export function findEnds(vocabulary: Vocabulary, more: readonly (number | undefined)[]): ReadonlySet<number> {
  const inParts = PARTS.every((name) => vocabulary.idOf(name) >= 0);
  const named = ENDS.filter((name) => name !== '<|end|>' || !inParts)
    .map((name) => vocabulary.idOf(name))
    .filter((id) => id >= 0 && isMark(vocabulary, id));
  const ends = new Set([...named, ...more].filter((id): id is number => id !== undefined && id >= 0));
  for (const id of ends) {
    if (vocabulary.kindOf(id) !== Kind.unknown) vocabulary.kinds[id] = Kind.control;
  }
  return ends;
}

/** In Qwen's vocabulary `</s>` is a piece of ordinary HTML; only what is spelt `<|…|>` is sure to be no text. */
function isMark(vocabulary: Vocabulary, id: number): boolean {
  return vocabulary.kindOf(id) !== Kind.normal || /^<[|｜]/u.test(vocabulary.tokenOf(id));
}
