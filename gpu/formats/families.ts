/**
 * The families of models that can be run, as data: which blocks each is made of, and how its files differ from the rest.
 * A family is one entry here, and where its files name a number in a way of their own, a line in
 * src/lib/weights/model-config.ts.
 *
 * Sources: Hugging Face transformers' modeling files, llama.cpp's src/llama-model.cpp and convert_hf_to_gguf.py.
 */
import type { Blocks, RopePairing } from './model';

export interface Family {
  readonly blocks: Blocks;
  /** Of q's and k's rows in GGUF files: llama.cpp's converter deals some out so that neighbours turn. */
  readonly ggufPairing: RopePairing;
  /** `model_type` of config.json, one or several. */
  readonly hfTypes: readonly string[];
  /** Gains in safetensors are stored as gain - 1. GGUF files have them whole. */
  readonly hfGainOffset: 0 | 1;
  /** What people know it by. */
  readonly models: string;
}

const LLAMA: Blocks = { activation: 'silu', norms: 'before', queryKeyNorm: 'none', biased: false, fused: false };

const FAMILY = {
  llama: {
    blocks: LLAMA,
    ggufPairing: 'neighbours',
    hfTypes: ['llama', 'mistral'],
    hfGainOffset: 0,
    models: 'Llama 2, 3.x, Mistral, SmolLM2, TinyLlama, MiniMind2',
  },
  smollm3: {
    blocks: LLAMA,
    ggufPairing: 'neighbours',
    hfTypes: ['smollm3'],
    hfGainOffset: 0,
    models: 'SmolLM3 (every fourth layer without positions)',
  },
  qwen2: {
    blocks: { ...LLAMA, biased: true },
    ggufPairing: 'halves',
    hfTypes: ['qwen2'],
    hfGainOffset: 0,
    models: 'Qwen2, Qwen2.5',
  },
  qwen3: {
    blocks: { ...LLAMA, queryKeyNorm: 'head' },
    ggufPairing: 'halves',
    hfTypes: ['qwen3'],
    hfGainOffset: 0,
    models: 'Qwen3 (dense)',
  },
  gemma2: {
    blocks: { ...LLAMA, activation: 'gelu', norms: 'around' },
    ggufPairing: 'halves',
    hfTypes: ['gemma2'],
    hfGainOffset: 1,
    models: 'Gemma 2',
  },
  gemma3: {
    blocks: { ...LLAMA, activation: 'gelu', norms: 'around', queryKeyNorm: 'head' },
    ggufPairing: 'halves',
    hfTypes: ['gemma3_text'],
    hfGainOffset: 1,
    models: 'Gemma 3 (text)',
  },
  phi3: {
    blocks: { ...LLAMA, fused: true },
    ggufPairing: 'halves',
    hfTypes: ['phi3'],
    hfGainOffset: 0,
    models: 'Phi-3, Phi-3.5 mini, Phi-4 mini',
  },
  granite: {
    blocks: LLAMA,
    ggufPairing: 'neighbours',
    hfTypes: ['granite'],
    hfGainOffset: 0,
    models: 'Granite 3.x (dense)',
  },
  olmo2: {
    blocks: { ...LLAMA, norms: 'after', queryKeyNorm: 'token' },
    ggufPairing: 'halves',
    hfTypes: ['olmo2'],
    hfGainOffset: 0,
    models: 'OLMo 2',
  },
} as const satisfies Record<string, Family>;

export type Architecture = keyof typeof FAMILY;
export const FAMILIES: Readonly<Record<Architecture, Family>> = FAMILY;
export const ARCHITECTURES = Object.keys(FAMILY) as readonly Architecture[];

export function isArchitecture(name: string): name is Architecture {
  return (ARCHITECTURES as readonly string[]).includes(name);
}

/** The family that a `model_type` of config.json belongs to; undefined: none that we know. */
export function familyOfType(type: string): Architecture | undefined {
  return ARCHITECTURES.find((name) => FAMILIES[name].hfTypes.includes(type));
}
