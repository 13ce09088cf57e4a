/**
 * What a decoder-only transformer is made of, as data: the numbers of its configuration, and which of the shared blocks
 * it uses. Readers of files translate into this (families.ts says what a family's name stands for); gpu/model turns it
 * into dispatches.
 */
import type { Architecture } from './families';

/** How a head's elements pair up to turn by their position: (2i, 2i + 1), or (i, i + dims / 2). */
export type RopePairing = 'neighbours' | 'halves';

/** How positions beyond those of the training are brought back among them. */
export type RopeScaling =
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      /** Turns within `original` positions from which on a pair is fast enough to be left alone, and below which it is slow. */
      readonly fast: number;
      readonly slow: number;
      /** Positions of the first training. */
      readonly original: number;
    }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly fast: number;
      readonly slow: number;
      readonly original: number;
      /** What queries and keys are multiplied by, both. */
      readonly magnitude: number;
    }
  | {
      /** Each pair's frequency divided by a number of its own: one list for contexts up to `original`, one beyond. */
      readonly kind: 'factors';
      readonly short: readonly number[] | FactorTensor;
      readonly long: readonly number[] | FactorTensor;
      readonly original: number;
      readonly magnitude: number;
    };

/** The factors are a tensor of the file. */
export type FactorTensor = 'ropeFactors' | 'ropeFactorsShort' | 'ropeFactorsLong';

export interface RopeConfig {
  readonly theta: number;
  /** Elements of a head that turn: the first ones. */
  readonly dims: number;
  readonly pairing: RopePairing;
  readonly scaling?: RopeScaling;
}

/** What makes a layer differ from its neighbours. */
export interface LayerKind {
  /** Newest positions that a query sees, its own included; absent: all. */
  readonly window?: number;
  /** How queries and keys turn: as in most layers, as in the windowed ones of some families, or not at all. */
  readonly rope: 'global' | 'local' | 'none';
}

/** Gated feed-forward: silu(gate) * up, or the tanh form of gelu. */
export type Activation = 'silu' | 'gelu';

/** Where a branch (attention, feed-forward) is normalised: its input, what it adds to the residual stream, or both. */
export type NormPlacement = 'before' | 'after' | 'around';

/** RMSNorm of queries and keys before they turn: none, each head's, or all heads of a token at once. */
export type QueryKeyNorm = 'none' | 'head' | 'token';

/** Which of the shared blocks a family of models is made of. */
export interface Blocks {
  readonly activation: Activation;
  readonly norms: NormPlacement;
  readonly queryKeyNorm: QueryKeyNorm;
  /** q, k and v have a bias. */
  readonly biased: boolean;
  /** q, k, v are one tensor in files, and so are gate and up. */
  readonly fused: boolean;
}

export interface ModelConfig {
  /** The family's name, as GGUF has it. */
  readonly architecture: Architecture;
  readonly blocks: Blocks;
  /** One entry a layer. */
  readonly layers: readonly LayerKind[];
  /** Elements of the residual stream (hidden_size). */
  readonly width: number;
  readonly ffnWidth: number;
  readonly headsQ: number;
  readonly headsKv: number;
  readonly headDim: number;
  readonly vocab: number;
  /** Positions the model was trained for. */
  readonly context: number;
  readonly normEps: number;
  /** What gains in the file are short of by convention: 1 where it stores gain - 1. */
  readonly gainOffset: 0 | 1;
  readonly rope: RopeConfig;
  /** Of layers whose kind says so. */
  readonly localRope?: RopeConfig;
  /** The output head is the embedding. */
  readonly tiedHead: boolean;
  readonly scales: ModelScales;
}

/** Numbers that some families multiply or bend by; NEUTRAL is none. */
export interface ModelScales {
  /** The embedding's rows by this. */
  readonly embedding: number;
  /** What a branch adds to the residual stream, by this. */
  readonly residual: number;
  /** q . k by this; undefined: 1 / sqrt(headDim). */
  readonly attention?: number;
  /** Logits by this. */
  readonly logits: number;
  /** s = c tanh(s / c) of attention's scores and of logits; 0: not at all. */
  readonly attentionSoftcap: number;
  readonly logitSoftcap: number;
}

export const NEUTRAL: ModelScales = { embedding: 1, residual: 1, logits: 1, attentionSoftcap: 0, logitSoftcap: 0 };
