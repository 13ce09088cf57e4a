/** The part of a tokenizer.json that rewrites text before it is cut: `@huggingface/tokenizers` does it. */
import { SequenceNormalizer } from '@huggingface/tokenizers';
import { TokenizerError } from './errors';

export type Normalizer = (text: string) => string;

type Config = ConstructorParameters<typeof SequenceNormalizer>[0]['normalizers'][number];

/** @param config `normalizer` of a tokenizer.json, null for none */
export function readNormalizer(config: unknown, field = 'normalizer'): Normalizer {
  if (config === undefined || config === null) return (text) => text;
  try {
    const normalizer = new SequenceNormalizer({ type: 'Sequence', normalizers: [config as Config] });
    return (text) => normalizer.normalize(text);
  } catch (error) {
    throw new TokenizerError(field, `cannot be read: ${String(error)}`, { cause: error });
  }
}
