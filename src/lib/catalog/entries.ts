/**
 * Models that are worth a person's time on a device of their own. What is written here does not go stale: files, sizes
 * and hashes are asked of the hub at the moment (resolve.ts).
 */

import type { ModelShape } from './fit';

export interface CatalogEntry {
  readonly id: string;
  readonly name: string;
  readonly publisher: string;
  /** The publisher's own repository, with safetensors. */
  readonly repo: string;
  /** The publisher's own repository with GGUF files, where it is not called as the other with `-GGUF` behind. */
  readonly ggufRepo?: string;
  /**
   * What the publisher has, where it is not GGUF in several sizes: what is guessed before anybody is asked follows from
   * it, and nothing else.
   */
  readonly published?: 'q8' | 'safetensors';
  readonly license: string;
  /** The publisher wants his terms accepted, which takes an account and a token. */
  readonly gated: boolean;
  /** BCP 47; `mul`: dozens. */
  readonly languages: readonly string[];
  /** Tokens that it was made for. */
  readonly context: number;
  /** In thousand millions. */
  readonly parameters: number;
  /** As its config.json has it: what memory it takes follows from that, before anybody is asked. */
  readonly shape: Omit<ModelShape, 'context'>;
  /** How good its answers are beside the others', from 1: what is recommended is the best that runs well. */
  readonly rank: number;
}

const EUROPE = ['en', 'fr', 'es', 'de', 'it', 'pt'];

export const CATALOG: readonly CatalogEntry[] = [
  {
    id: 'smollm2-135m',
    name: 'SmolLM2 135M',
    publisher: 'Hugging Face',
    repo: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    license: 'Apache-2.0',
    gated: false,
    languages: ['en'],
    context: 8192,
    parameters: 0.135,
    shape: { layers: 30, width: 576, ffnWidth: 1536, headsKv: 3, headDim: 64, vocab: 49152 },
    rank: 1,
  },
  {
    id: 'gemma-3-270m',
    name: 'Gemma 3 270M',
    publisher: 'Google',
    repo: 'google/gemma-3-270m-it',
    published: 'safetensors',
    license: 'Gemma Terms of Use',
    gated: true,
    languages: ['mul'],
    context: 32768,
    parameters: 0.27,
    shape: {
      layers: 18,
      width: 640,
      ffnWidth: 2048,
      headsKv: 1,
      headDim: 256,
      vocab: 262144,
      windowed: { layers: 15, window: 512 },
    },
    rank: 2,
  },
  {
    id: 'smollm2-360m',
    name: 'SmolLM2 360M',
    publisher: 'Hugging Face',
    repo: 'HuggingFaceTB/SmolLM2-360M-Instruct',
    license: 'Apache-2.0',
    gated: false,
    languages: ['en'],
    context: 8192,
    parameters: 0.362,
    shape: { layers: 32, width: 960, ffnWidth: 2560, headsKv: 5, headDim: 64, vocab: 49152 },
    rank: 3,
  },
  {
    id: 'qwen2.5-0.5b',
    name: 'Qwen2.5 0.5B',
    publisher: 'Alibaba',
    repo: 'Qwen/Qwen2.5-0.5B-Instruct',
    license: 'Apache-2.0',
    gated: false,
    languages: ['mul'],
    context: 32768,
    parameters: 0.494,
    shape: { layers: 24, width: 896, ffnWidth: 4864, headsKv: 2, headDim: 64, vocab: 151936 },
    rank: 4,
  },
  {
    id: 'tinyllama-1.1b',
    name: 'TinyLlama 1.1B Chat',
    publisher: 'TinyLlama',
    repo: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
    published: 'safetensors',
    license: 'Apache-2.0',
    gated: false,
    languages: ['en'],
    context: 2048,
    parameters: 1.1,
    shape: { layers: 22, width: 2048, ffnWidth: 5632, headsKv: 4, headDim: 64, vocab: 32000 },
    rank: 5,
  },
  {
    id: 'qwen3-0.6b',
    name: 'Qwen3 0.6B',
    publisher: 'Alibaba',
    repo: 'Qwen/Qwen3-0.6B',
    license: 'Apache-2.0',
    gated: false,
    languages: ['mul'],
    context: 40960,
    parameters: 0.596,
    shape: { layers: 28, width: 1024, ffnWidth: 3072, headsKv: 8, headDim: 128, vocab: 151936 },
    rank: 6,
  },
  {
    id: 'llama-3.2-1b',
    name: 'Llama 3.2 1B',
    publisher: 'Meta',
    repo: 'meta-llama/Llama-3.2-1B-Instruct',
    published: 'safetensors',
    license: 'Llama 3.2 Community License',
    gated: true,
    languages: [...EUROPE, 'hi', 'th'],
    context: 131072,
    parameters: 1.24,
    shape: { layers: 16, width: 2048, ffnWidth: 8192, headsKv: 8, headDim: 64, vocab: 128256 },
    rank: 7,
  },
  {
    id: 'gemma-3-1b',
    name: 'Gemma 3 1B',
    publisher: 'Google',
    repo: 'google/gemma-3-1b-it',
    ggufRepo: 'google/gemma-3-1b-it-qat-q4_0-gguf',
    license: 'Gemma Terms of Use',
    gated: true,
    // Its larger sisters speak a hundred and forty.
    languages: ['en'],
    context: 32768,
    parameters: 1.0,
    shape: {
      layers: 26,
      width: 1152,
      ffnWidth: 6912,
      headsKv: 1,
      headDim: 256,
      vocab: 262144,
      windowed: { layers: 22, window: 512 },
    },
    rank: 8,
  },
  {
    id: 'qwen2.5-1.5b',
    name: 'Qwen2.5 1.5B',
    publisher: 'Alibaba',
    repo: 'Qwen/Qwen2.5-1.5B-Instruct',
    license: 'Apache-2.0',
    gated: false,
    languages: ['mul'],
    context: 32768,
    parameters: 1.54,
    shape: { layers: 28, width: 1536, ffnWidth: 8960, headsKv: 2, headDim: 128, vocab: 151936 },
    rank: 9,
  },
  {
    id: 'smollm2-1.7b',
    name: 'SmolLM2 1.7B',
    publisher: 'Hugging Face',
    repo: 'HuggingFaceTB/SmolLM2-1.7B-Instruct',
    license: 'Apache-2.0',
    gated: false,
    languages: ['en'],
    context: 8192,
    parameters: 1.71,
    shape: { layers: 24, width: 2048, ffnWidth: 8192, headsKv: 32, headDim: 64, vocab: 49152 },
    rank: 10,
  },
  {
    id: 'qwen3-1.7b',
    name: 'Qwen3 1.7B',
    publisher: 'Alibaba',
    repo: 'Qwen/Qwen3-1.7B',
    published: 'q8',
    license: 'Apache-2.0',
    gated: false,
    languages: ['mul'],
    context: 40960,
    parameters: 1.72,
    shape: { layers: 28, width: 2048, ffnWidth: 6144, headsKv: 8, headDim: 128, vocab: 151936 },
    rank: 11,
  },
  {
    id: 'phi-3.5-mini',
    name: 'Phi-3.5 mini',
    publisher: 'Microsoft',
    repo: 'microsoft/Phi-3.5-mini-instruct',
    published: 'safetensors',
    license: 'MIT',
    gated: false,
    languages: [
      ...EUROPE,
      'ar',
      'zh',
      'cs',
      'da',
      'nl',
      'fi',
      'he',
      'hu',
      'ja',
      'ko',
      'no',
      'pl',
      'ru',
      'sv',
      'th',
      'tr',
      'uk',
    ],
    context: 131072,
    parameters: 3.82,
    shape: { layers: 32, width: 3072, ffnWidth: 8192, headsKv: 32, headDim: 96, vocab: 32064 },
    rank: 12,
  },
  {
    id: 'smollm3-3b',
    name: 'SmolLM3 3B',
    publisher: 'Hugging Face',
    repo: 'HuggingFaceTB/SmolLM3-3B',
    published: 'safetensors',
    license: 'Apache-2.0',
    gated: false,
    languages: EUROPE,
    context: 65536,
    parameters: 3.08,
    shape: { layers: 36, width: 2048, ffnWidth: 11008, headsKv: 4, headDim: 128, vocab: 128256 },
    rank: 13,
  },
];
