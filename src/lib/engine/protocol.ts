/**
 * What the page and the engine's worker say to each other. Types alone: neither side pulls in the other's code.
 *
 * The page sends a `Request`; the worker answers it with any number of `progress` replies and one `done` or `failed`,
 * all of the same `id`. A `Stop` ends the request of that id early: a generation is done with what it has, a load fails
 * as `aborted`. While it generates, the worker may ask which tokens are allowed next (`MaskQuestion`), and waits for the
 * page's `MaskAnswer`.
 */
import type { AttentionKind, GpuErrorCode, GpuReport } from '$gpu';
// Not of the room's index: whoever depends on the library gets these types, and no template's.
import type { ChatMessage, Tool } from '$lib/text/messages';
import type { QuantName } from '$gpu/formats/quantise';
import type { GeneratedToken, MaskHook, Sampling } from '$gpu/generate';
import type { Activations, KvKind, QuantisedTensor } from '$gpu/model';
import type { GpuFigures, MeasureProgress, ModelFigures, ModelProgress } from './bench/figures';

export type * from './bench/figures';
export type { ChatMessage, Tool, GeneratedToken, GpuReport, MaskHook, QuantisedTensor, QuantName, Sampling };

/** What the worker does for the page: by method, what it is given, tells while it works, and returns. */
export interface Methods {
  /** Opens the GPU, checks its arithmetic, runs one attention call, and tells what this device is. */
  inspect: { params: undefined; progress: InspectionStage; result: Inspection };
  /** Measures what the GPU can do, in a few seconds; nothing else may run meanwhile. */
  measureGpu: { params: undefined; progress: MeasureProgress; result: GpuFigures };
  /** Opens a model in place of the one that is open. */
  load: { params: LoadRequest; progress: LoadProgress; result: LoadedModel };
  /** Answers a conversation with the model that is open. */
  generate: { params: ChatRequest; progress: GenerateProgress; result: AnswerEnd };
  /** How many tokens the prompt of a conversation has, for the model that is open. */
  count: { params: Ask; progress: never; result: number };
  /** Measures how fast the open model answers, and on the GPU where the time goes. */
  measureModel: { params: undefined; progress: ModelProgress; result: ModelFigures };
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

/** Where a model is. */
export type ModelAt =
  /** Address of a GGUF file, or of a folder with safetensors, config.json and tokenizer.json. */
  | { readonly url: string }
  /** A whole model of the store, by its id there. */
  | { readonly stored: string }
  /** What a person chose: a GGUF file, or the files of such a folder, with that folder's name. They are read where they lie, and not kept. */
  | { readonly files: readonly File[]; readonly name?: string };

export type LoadRequest = ModelAt & LoadOptions;

/** A model on a server that speaks OpenAI's wire format: remote/ asks it, from the page itself. */
export interface RemoteModelAt {
  /** Address of its API, as `serverAddress` writes it: `http://localhost:11434/v1`. */
  readonly server: string;
  readonly model: string;
}

export interface LoadOptions {
  /** `auto`: the GPU where there is a real one, else the processor. */
  readonly path?: 'auto' | PathName;
  /** Tokens of prompt and answer together; at most what the model was trained for. */
  readonly context?: number;
  /**
   * Quantises weights of 16 and 32 bits while they go to the GPU; refused where the processor computes. 'auto': those of
   * safetensors, as the catalog counts them before a download, and nothing where there is nothing to quantise.
   */
  readonly quant?: QuantName | 'auto';
  /**
   * On the GPU: bytes that the KV caches of all conversations may take together. Default: those of one as long as the
   * context. A smaller one shortens the context.
   */
  readonly memoryBudget?: number;
  /** On the GPU: how keys and values are kept; 'q8' takes half of f16's memory for a little exactness. Default 'auto'. */
  readonly kv?: KvKind;
  /** On the GPU: 'fast' lets one token's products round activations to 8 bits where that is measured to be faster. */
  readonly activations?: Activations;
  /** On the GPU: which attention kernels may serve. Default 'auto': flash, and where none is right the plain way. */
  readonly attention?: AttentionKind;
  /** Of the processor; default: by how many it has. */
  readonly threads?: number;
}

/**
 * `device`: looking for a GPU. `read`: the file's bytes, which go on to the GPU as they come. `upload`: waiting for the
 * last of them to arrive there. `compile`: shaders, and testing what they compute. `server`: asking one for its models.
 */
export type LoadPhase = 'device' | 'read' | 'upload' | 'compile' | 'server';

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
  | 'gpu-failed' // a GPU that could not run this model; see `detail`
  | 'server'; // it is a server's; see `server`

export interface LoadedModel {
  readonly name: string;
  readonly path: PathName | 'server';
  readonly reason: PathReason;
  /** Who answers, where it is not this device. */
  readonly server?: RemoteFacts;
  /** The error, where the reason is one. */
  readonly detail?: string;
  /** The GPU's name, as far as the browser tells it. */
  readonly adapter?: string;
  /** Of the processor. */
  readonly threads?: number;
  /** What there is of `ChatRequest` where the model runs. */
  readonly abilities: Abilities;
  /** Undefined: its chat template has no place for tools. */
  readonly toolFormat?: ToolFormatName;
  /** Most tokens of prompt and answer together. */
  readonly context: number;
  /** Of the files. */
  readonly bytes: number;
  /** What `quant` has cost, by tensor; not there where it was not asked for. */
  readonly quantised?: readonly QuantisedTensor[];
  readonly loadMs: number;
}

export interface RemoteFacts {
  /** Name and port, as people read them in an address. */
  readonly host: string;
  /** The server does not tell its context; the one that is told is assumed. */
  readonly contextAssumed: boolean;
}

/** Where the ways of computing differ. What one cannot do it refuses, with the code `ability`. */
export interface Abilities {
  /** Takes a mask of allowed tokens for every step. */
  readonly mask: boolean;
  /** Tells the ids of its tokens, and log-probabilities where they are asked for. */
  readonly logprobs: boolean;
  /** What presence and frequency penalty count: the tokens of the answer, or those of the prompt as well. */
  readonly penaltiesCount: 'answer' | 'prompt-and-answer';
}

/** How a model writes the tools it wants to be called: see tool-formats.ts. */
export type ToolFormatName = 'hermes' | 'llama3' | 'mistral' | 'phi';

// ---- generate --------------------------------------------------------------------------------------------------

/** A conversation to answer, with the tools that the model may call; or a text or ids to go on with. */
export type Ask =
  | {
      readonly messages: readonly ChatMessage[];
      readonly tools?: readonly Tool[];
      /** The last message is an answer that broke off, and the model goes on with it. */
      readonly continues?: boolean;
    }
  | { readonly text: string }
  | { readonly ids: readonly number[] };

export type ChatRequest = Ask & AnswerSettings;

export interface AnswerSettings {
  readonly sampling?: Sampling;
  readonly maxTokens?: number;
  readonly stop?: readonly string[];
  /** How many of the likeliest tokens to tell of with each token, by log-probability; 0: its own alone. */
  readonly logprobs?: number;
  /** What the answer has to look like. Where no tokens can be masked it is refused. */
  readonly grammar?: GrammarSpec;
  /** The worker is to ask for a mask before every token. */
  readonly masked?: boolean;
}

/**
 * A grammar in xgrammar's EBNF, which begins at the rule `root`; or free text in which what begins like a tag has to go
 * on as one: `begin`, the grammar, `end`.
 */
export type GrammarSpec = string | { readonly tags: readonly GrammarTag[]; readonly trigger: string };

export interface GrammarTag {
  readonly begin: string;
  readonly grammar: string;
  readonly end: string;
}

export type GenerateProgress =
  | { readonly type: 'prefill'; readonly done: number; readonly total: number }
  /** The tokens that the text came from, where the engine tells them. */
  | ({ readonly type: 'text' } & AnswerPiece);

export interface AnswerPiece {
  /** '' in the middle of a character, or of what may become a stop string. */
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
  /** With log-probabilities: what each of these tokens, and of the likeliest in their places, reads as. */
  readonly spelling?: ReadonlyMap<number, Uint8Array>;
}

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

/** Which tokens may come next in the generation of this id? */
export interface MaskQuestion {
  readonly id: number;
  readonly type: 'mask';
  /** The answer's tokens so far. */
  readonly drawn: readonly number[];
}

/** `mask`: as MaskHook gives it. `failed`: why there is none; it ends the generation. */
export interface MaskAnswer {
  readonly maskFor: number;
  readonly mask?: Uint32Array | undefined;
  readonly failed?: string;
}

export type Reply<M extends Method = Method> =
  | MaskQuestion
  | { readonly id: number; readonly type: 'progress'; readonly progress: Methods[M]['progress'] }
  | { readonly id: number; readonly type: 'done'; readonly result: Methods[M]['result'] }
  | { readonly id: number; readonly type: 'failed'; readonly failure: Failure };

export type EngineErrorCode =
  | 'no-model' // nothing is loaded
  | 'busy' // the model is answering already
  | 'context' // the conversation is longer than the context
  | 'no-template' // the model is not made for conversations
  | 'ability' // the path that the model runs on has no way to do what was asked
  | 'grammar' // a grammar cannot be read
  | 'files' // a file of the model is missing, or is not what it should be
  | 'cpu'; // the path through the processor cannot run here, or broke

/** Of a server that a person added. Each message says what to do. */
export type RemoteErrorCode =
  | 'remote-address' // the text is no address of a server
  | 'remote-insecure' // plain http beyond this machine: others could read along, and browsers refuse it
  | 'remote-unknown' // nobody added this server on this device
  | 'remote-unreachable' // nothing answers there, or it lets no page of ours read (CORS)
  | 'remote-key' // it wants a key, or another one
  | 'remote-model' // it has no such model
  | 'remote-busy' // it has too much to do, or the key's share is used up
  | 'remote-format' // what answers does not speak OpenAI's format
  | 'remote-cut' // the answer broke off on the way
  | 'remote-refused' // it refuses this request, and says why
  | 'remote-failed'; // it failed

/** An error as it crosses from the worker to the page. */
export interface Failure {
  /**
   * `source`: bytes could not be had; `store`: the store has no such model, or it is damaged; `model`: a model's file is broken or unknown; `worker`: the worker itself could not
   * start or broke; `unknown`: an error that is none of ours.
   */
  readonly code:
    GpuErrorCode | EngineErrorCode | RemoteErrorCode | 'source' | 'store' | 'model' | 'aborted' | 'worker' | 'unknown';
  readonly message: string;
}
