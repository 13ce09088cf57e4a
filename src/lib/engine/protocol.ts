/**
 * What the page and the engine's worker say to each other. Types alone: neither side pulls in the other's code.
 *
 * The page sends a `Request`; the worker answers it with any number of `progress` replies and one `done` or `failed`,
 * all of the same `id`. A `Stop` ends the request of that id early: a generation is done with what it has, a load fails
 * as `aborted`.
 */
import type { GpuErrorCode, GpuReport } from '$gpu';
import type { ChatMessage } from '$lib/text';
import type { QuantName } from '$gpu/formats/quantise';
import type { Sampling } from '$gpu/generate';
import type { QuantisedTensor } from '$gpu/model';

export type { ChatMessage, GpuReport, QuantisedTensor, QuantName, Sampling };

/** What the worker does for the page: by method, what it is given, tells while it works, and returns. */
export interface Methods {
  /** Opens the GPU, checks its arithmetic, runs one attention call, and tells what this device is. */
  inspect: { params: undefined; progress: InspectionStage; result: Inspection };
  /** Opens a model in place of the one that is open. */
  load: { params: LoadRequest; progress: LoadProgress; result: LoadedModel };
  /** Answers a conversation with the model that is open. */
  generate: { params: ChatRequest; progress: GenerateProgress; result: AnswerEnd };
  /** Closes the model; the worker stays. */
  unload: { params: undefined; progress: never; result: void };
}

export type Method = keyof Methods;

// ---- inspect ---------------------------------------------------------------------------------------------------

export type InspectionStage = 'opening' | 'measuring';

export interface Inspection {
  readonly report: GpuReport;
  /** The same as text, for a bug report. */
  readonly text: string;
  /** Milliseconds from the call to an open device: driver, shaders and self-test together. */
  readonly openedMs: number;
  readonly attention: AttentionCall;
}

/** One call of causal attention, q `[1, seq, headsQ, headDim]` on k and v `[1, seq, headsKv, headDim]`, float32. */
export interface AttentionCall {
  readonly seq: number;
  readonly headsQ: number;
  readonly headsKv: number;
  readonly headDim: number;
  readonly flashMs: number;
  /** The same through a whole matrix of scores. */
  readonly standardMs: number;
  /** The largest distance from the float64 reference. */
  readonly difference: number;
}

// ---- load ------------------------------------------------------------------------------------------------------

export type PathName = 'gpu' | 'cpu';

export interface LoadRequest {
  /** Address of a GGUF file, or of a folder with safetensors, config.json and tokenizer.json. */
  readonly url: string;
  /** `auto`: the GPU where there is a real one, else the processor. */
  readonly path?: 'auto' | PathName;
  /** Tokens of prompt and answer together; at most what the model was trained for. */
  readonly context?: number;
  /** Quantises weights of 16 and 32 bits while they go to the GPU; refused where the processor computes. */
  readonly quant?: QuantName;
  /** Of the processor; default: by how many it has. */
  readonly threads?: number;
}

/**
 * `device`: looking for a GPU. `read`: the file's bytes, which go on to the GPU as they come. `upload`: waiting for the
 * last of them to arrive there. `compile`: shaders, and testing what they compute.
 */
export type LoadPhase = 'device' | 'read' | 'upload' | 'compile';

export interface LoadProgress {
  readonly phase: LoadPhase;
  /** Bytes, in the phase `read`. */
  readonly done?: number;
  readonly total?: number;
}

/** Why the model runs where it runs. */
export type PathReason =
  | 'gpu' // there is one
  | 'asked' // the caller wanted this path
  | 'no-webgpu' // no WebGPU in this browser, or at this address
  | 'no-adapter' // WebGPU, but no GPU
  | 'software-gpu' // an adapter that computes on the processor, slower than our own way there
  | 'gpu-failed'; // a GPU that could not run this model; see `detail`

export interface LoadedModel {
  readonly name: string;
  readonly path: PathName;
  readonly reason: PathReason;
  /** The error, where the reason is one. */
  readonly detail?: string;
  /** The GPU's name, as far as the browser tells it. */
  readonly adapter?: string;
  /** Of the processor. */
  readonly threads?: number;
  /** Most tokens of prompt and answer together. */
  readonly context: number;
  /** Of the files. */
  readonly bytes: number;
  /** What `quant` has cost, by tensor; not there where it was not asked for. */
  readonly quantised?: readonly QuantisedTensor[];
  readonly loadMs: number;
}

// ---- generate --------------------------------------------------------------------------------------------------

export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly sampling?: Sampling;
  readonly maxTokens?: number;
  readonly stop?: readonly string[];
}

export type GenerateProgress =
  | { readonly type: 'prefill'; readonly done: number; readonly total: number }
  | { readonly type: 'text'; readonly text: string; readonly ids: readonly number[] };

export type EndReason =
  | 'end' // the model had no more to say
  | 'stop' // a stop string
  | 'length' // as many tokens as were asked for
  | 'context' // the context is full
  | 'aborted';

export interface AnswerEnd {
  readonly reason: EndReason;
  readonly timings: Timings;
}

/** Milliseconds, and the tokens they were spent on. */
export interface Timings {
  /** Of the answer. */
  readonly tokens: number;
  /** From the call to the first token of the answer; undefined where there came none. */
  readonly firstTokenMs?: number;
  /** `reused`: of the prompt, what the KV cache held already; `tokens`: what was computed. */
  readonly prefill: { readonly tokens: number; readonly reused: number; readonly ms: number };
  /** The tokens after the first, which prefill gave. */
  readonly decode: { readonly tokens: number; readonly ms: number };
}

// ---- the line --------------------------------------------------------------------------------------------------

export interface Request<M extends Method = Method> {
  readonly id: number;
  readonly method: M;
  readonly params: Methods[M]['params'];
}

export interface Stop {
  readonly stop: number;
}

export type Reply<M extends Method = Method> =
  | { readonly id: number; readonly type: 'progress'; readonly progress: Methods[M]['progress'] }
  | { readonly id: number; readonly type: 'done'; readonly result: Methods[M]['result'] }
  | { readonly id: number; readonly type: 'failed'; readonly failure: Failure };

export type EngineErrorCode =
  | 'no-model' // nothing is loaded
  | 'busy' // the model is answering already
  | 'context' // the conversation is longer than the context
  | 'no-template' // the model is not made for conversations
  | 'files' // a file of the model is missing, or is not what it should be
  | 'cpu'; // the path through the processor cannot run here, or broke

/** An error as it crosses from the worker to the page. */
export interface Failure {
  /**
   * `source`: bytes could not be had; `model`: a model's file is broken or unknown; `worker`: the worker itself could not
   * start or broke; `unknown`: an error that is none of ours.
   */
  readonly code: GpuErrorCode | EngineErrorCode | 'source' | 'model' | 'aborted' | 'worker' | 'unknown';
  readonly message: string;
}
