/**
 * Runs prompts on the processor, through llama.cpp compiled to WebAssembly (`@wllama/wllama`): where there is no GPU.
 *
 * That engine tokenizes by itself and reads control tokens in every text, hence `Prompt.text`; and it tells text, not
 * ids. It keeps the KV cache between prompts by itself.
 */
import type { RawCompletionChunk, RawCompletionParams } from '@wllama/wllama/esm/index.js';
import { EngineFault, isAbort } from './errors';
import type { GenerationEnd, Sampling } from '$gpu/generate';
import { checkSampling } from '$gpu/generate/sampling';
import type { Abilities } from './protocol';
import type { Prompt, RunOptions, Runner, RunPiece } from './runner';

/** As much of wllama as is used here. */
export interface CpuEngine {
  createCompletion(params: CompletionParams): Promise<AsyncIterable<RawCompletionChunk>>;
  exit(): Promise<void>;
}

/** llama.cpp's server takes and tells more than the package's types know. */
type CompletionParams = RawCompletionParams & {
  stream: true;
  samplers?: string[];
  repeat_penalty?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  timings_per_token: boolean;
  return_progress: boolean;
  cache_prompt: boolean;
};

export class CpuRunner implements Runner {
  /** Its sampler knows one list of tokens, the prompt's and the answer's, and asks nobody between two of them. */
  readonly abilities: Abilities = { mask: false, logprobs: false, penaltiesCount: 'prompt-and-answer' };
  readonly #engine: CpuEngine;
  readonly context: number;

  constructor(engine: CpuEngine, context: number) {
    this.#engine = engine;
    this.context = context;
  }

  async *run(prompt: Prompt, options: RunOptions): AsyncGenerator<RunPiece, GenerationEnd, undefined> {
    const { signal } = options;
    refuseUnable(options);
    const params = completionParams(prompt, options);
    let last: RawCompletionChunk | undefined;
    let told = 0;
    try {
      for await (const chunk of await this.#engine.createCompletion(params)) {
        last = chunk;
        if (chunk.prompt_progress) options.onPrefill?.(chunk.prompt_progress.processed, chunk.prompt_progress.total);
        const text = chunk.choices[0]?.text ?? '';
        if (text === '') continue;
        const drawn = chunk.timings?.predicted_n ?? told + 1;
        yield { text, tokens: [], count: drawn - told };
        told = drawn;
      }
    } catch (error) {
      if (!signal.aborted || !isAbort(error)) throw asFault(error);
    }
    return endOf(last, options);
  }

  close(): void {
    void this.#engine.exit();
  }
}

function refuseUnable({ mask, logprobs }: RunOptions): void {
  const refused = mask ? 'mask' : logprobs === undefined ? undefined : 'logprobs';
  if (!refused) return;
  const message = `«${refused}» needs the GPU: the model runs on the processor here, whose engine has no such thing.`;
  throw new EngineFault('ability', message);
}

function completionParams({ text }: Prompt, { sampling = {}, maxTokens, signal }: RunOptions): CompletionParams {
  return {
    prompt: text,
    stream: true,
    max_tokens: maxTokens,
    abortSignal: signal,
    timings_per_token: true,
    return_progress: true,
    cache_prompt: true,
    ...samplingParams(sampling),
  };
}

/** As on the GPU, and in Hugging Face transformers: llama.cpp by itself has typical-p first and the temperature last. */
const ORDER = ['penalties', 'temperature', 'top_k', 'top_p', 'min_p', 'typ_p'];
/** Every option in full, since llama.cpp has defaults of its own. Presence and frequency count the prompt there too. */
function samplingParams(sampling: Sampling): Partial<CompletionParams> {
  const { temperature, topK, topP, minP, typicalP, logitBias, seed, ...penalties } = checkSampling(sampling);
  return {
    temperature,
    top_k: topK,
    top_p: topP,
    min_p: minP,
    typical_p: typicalP,
    samplers: ORDER,
    ...biasParam(logitBias),
    repeat_penalty: penalties.repetitionPenalty,
    presence_penalty: penalties.presencePenalty,
    frequency_penalty: penalties.frequencyPenalty,
    // The whole context counts, as on the GPU, not the last 64 tokens.
    penalty_last_n: -1,
    // It has 32 bits for it, and takes the last number for none.
    seed: seed % (2 ** 32 - 1),
  };
}

type BiasParam = Pick<CompletionParams, 'logit_bias'>;

/** Pairs of a token and its bias, false for one of -Infinity: llama.cpp's own form, which the package's types do not know. */
function biasParam(logitBias: NonNullable<Sampling['logitBias']>): BiasParam {
  const pairs = Object.entries(logitBias).map(([id, bias]) => [Number(id), bias === -Infinity ? false : bias]);
  return pairs.length > 0 ? ({ logit_bias: pairs } as unknown as BiasParam) : {};
}

function endOf(last: RawCompletionChunk | undefined, { signal, maxTokens }: RunOptions): GenerationEnd {
  const { cache_n = 0, prompt_n = 0, prompt_ms = 0, predicted_n = 0, predicted_ms = 0 } = last?.timings ?? {};
  return {
    reason: reasonOf(last?.choices[0]?.finish_reason ?? null, signal.aborted, predicted_n >= maxTokens),
    prefill: { tokens: prompt_n, reused: cache_n, ms: prompt_ms },
    // Its clock starts with the first token, which prefill gave.
    decode: { tokens: Math.max(0, predicted_n - 1), ms: predicted_ms },
  };
}

function reasonOf(finish: string | null, aborted: boolean, asMany: boolean): GenerationEnd['reason'] {
  if (finish === 'stop') return 'end';
  if (aborted) return 'aborted';
  return asMany ? 'length' : 'context';
}

function asFault(error: unknown): EngineFault {
  const why = error instanceof Error ? error.message : String(error);
  return new EngineFault('cpu', `The model could not go on, on the processor: ${why}`, { cause: error });
}
