/** The face that gpu/ shows this room for models, as far as it is used here. */

export interface Sampling {
  /** 0, the default: always the likeliest token. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly seed?: number;
}

export interface GenerateOptions {
  readonly sampling?: Sampling;
  readonly maxTokens?: number;
  readonly endIds?: ReadonlySet<number>;
  readonly signal?: AbortSignal;
  readonly logprobs?: number;
  readonly onPrefill?: (done: number, total: number) => void;
}

export interface GeneratedToken {
  readonly id: number;
  readonly logprob?: number;
  readonly top?: readonly (readonly [number, number])[];
}

export interface GenerationEnd {
  readonly reason: 'end' | 'length' | 'context' | 'aborted';
  readonly prefill: { readonly tokens: number; readonly reused: number; readonly ms: number };
  readonly decode: { readonly tokens: number; readonly ms: number };
}

export interface Session {
  generate(ids: readonly number[], options?: GenerateOptions): AsyncGenerator<GeneratedToken, GenerationEnd>;
  score(
    ids: readonly number[],
    options?: { top?: number; signal?: AbortSignal },
  ): AsyncGenerator<(readonly [id: number, logprob: number])[]>;
  destroy(): void;
}
