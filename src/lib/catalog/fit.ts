/**
 * Will it run here, and how well: before the first byte. A pure function of what was measured or read; nothing is asked
 * of a device here.
 */

import { ROOM_BESIDE } from '$lib/store/records';
import type { QuantName } from '../../../gpu/formats/quantise';
import { rowsKept } from '../../../gpu/formats/window';

/** What a model needs, as its header or config.json says. */
export interface ModelFacts {
  readonly format: 'gguf' | 'safetensors';
  /** To download. */
  readonly fileBytes: number;
  /** In the GPU's memory. For safetensors that are made smaller on their way (`quant`), what becomes of them. */
  readonly weightBytes: number;
  /** What its weights are to be made on their way to the GPU: `quant` of the engine's `LoadRequest`. */
  readonly quant?: QuantName;
  /** Why a GPU cannot run it; the processor may. */
  readonly notOnGpu?: string;
  /** Undefined: not known, as where a file has not been looked into. */
  readonly shape?: ModelShape;
  /** Why nobody can run it, such as a family that is not known. */
  readonly unsupported?: string;
}

export interface ModelShape {
  readonly layers: number;
  readonly width: number;
  readonly ffnWidth: number;
  readonly headsKv: number;
  readonly headDim: number;
  readonly vocab: number;
  /** Tokens that it was trained for. */
  readonly context: number;
  /** Layers among them that look back only so many tokens; absent: none do. */
  readonly windowed?: { readonly layers: number; readonly window: number };
}

/** What a device has. */
export interface DeviceFacts {
  /** Undefined: there is none, or none that answers. */
  readonly gpu?: {
    readonly maxBufferSize: number;
    readonly maxStorageBufferBindingSize: number;
    /** Imitated in software. */
    readonly isFallback: boolean;
    readonly f16: boolean;
  };
  /** Bytes that a model may take: `memoryBudget`. */
  readonly memory: number;
  /** Bytes that the browser gives this page of the disk, and are free; undefined: not known. */
  readonly free?: number;
  /** Bytes a second that decoding gets through, where it was measured. */
  readonly bytesPerSecond?: number;
  /** Whether the processor's engine can run here (WebAssembly Memory64). */
  readonly processor: boolean;
}

export type FitReason =
  | 'unsupported'
  | 'no-room'
  | 'memory'
  | 'no-gpu'
  | 'software-gpu'
  | 'not-on-gpu'
  | 'safetensors-need-gpu'
  | 'slow'
  | 'short-context';

export interface Verdict {
  readonly runs: 'well' | 'slowly' | 'no';
  readonly path: 'gpu' | 'cpu';
  /** What is to be said of it; the first is the one that decided. */
  readonly reasons: readonly { readonly reason: FitReason; readonly message: string }[];
  /** Memory by context length, as far as it fits. */
  readonly memory: readonly { readonly context: number; readonly bytes: number }[];
  /** The longest context that fits; 0 where none does. */
  readonly context: number;
  /** Guessed from bytes a second, and so not more than that. */
  readonly tokensPerSecond: number;
}

/** What the two ways get through where nobody has measured: an integrated GPU, and two threads of llama.cpp's. */
const USUAL_GPU = 25e9;
const USUAL_CPU = 2e9;
/** As fast as people read. */
const READING_SPEED = 8;
/** A conversation shorter than this is no conversation. */
const LEAST_CONTEXT = 1024;
/** Tokens of a prompt that are computed at once. */
const PREFILL = 512;
const CONTEXTS = [1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072];
/** Beside the models themselves: pipelines, the engine, the browser's books. */
const RUNTIME = 96 * 2 ** 20;

export function fit(model: ModelFacts, device: DeviceFacts): Verdict {
  const path = device.gpu && !device.gpu.isFallback && model.notOnGpu === undefined ? 'gpu' : 'cpu';
  const memory = memoryByContext(model, device, path);
  const context = memory.at(-1)?.context ?? 0;
  const tokensPerSecond = speedOf(model, device, path) / Math.max(1, weightsOn(path, model));
  const against = [...obstacles(model, device, path, context)];
  const warnings = [...cautions(model, device, path, context, tokensPerSecond)];
  const isSlow = tokensPerSecond < READING_SPEED;
  const runs = against.length > 0 ? 'no' : isSlow ? 'slowly' : 'well';
  return { runs, path, reasons: [...against, ...warnings], memory, context, tokensPerSecond };
}

/** What was measured is of the GPU where there is one, which a model that runs beside it has nothing of. */
function speedOf({ notOnGpu }: ModelFacts, { bytesPerSecond }: DeviceFacts, path: Verdict['path']): number {
  if (notOnGpu !== undefined) return USUAL_CPU;
  return bytesPerSecond ?? (path === 'gpu' ? USUAL_GPU : USUAL_CPU);
}

/** The processor computes with weights as the file has them. */
function weightsOn(path: Verdict['path'], { fileBytes, weightBytes }: ModelFacts): number {
  return path === 'cpu' ? fileBytes : weightBytes;
}

type Reason = Verdict['reasons'][number];

function* obstacles(model: ModelFacts, device: DeviceFacts, path: Verdict['path'], context: number): Generator<Reason> {
  if (model.unsupported !== undefined) yield { reason: 'unsupported', message: model.unsupported };
  if (device.free !== undefined && model.fileBytes + ROOM_BESIDE > device.free) {
    const message = `It takes ${gigabytes(model.fileBytes)} of the disk, and this page may have ${gigabytes(device.free)} more.`;
    yield { reason: 'no-room', message };
  }
  if (path === 'cpu' && model.format === 'safetensors') {
    yield {
      reason: 'safetensors-need-gpu',
      message: 'Without a GPU only GGUF files run. Look for a GGUF of the model.',
    };
  }
  if (path === 'cpu' && !device.processor) {
    const message = 'There is no GPU to compute with, and this browser is too old for the way round it.';
    yield { reason: 'no-gpu', message };
  }
  if (context === 0) {
    const least = memoryAt(model, Math.min(LEAST_CONTEXT, model.shape?.context ?? LEAST_CONTEXT), device, path);
    const message = `It needs ${gigabytes(least)} of memory, and a page gets about ${gigabytes(device.memory)} here.`;
    yield { reason: 'memory', message };
  }
}

function* cautions(
  model: ModelFacts,
  device: DeviceFacts,
  path: Verdict['path'],
  context: number,
  tokensPerSecond: number,
): Generator<Reason> {
  if (path === 'cpu') {
    yield whyProcessor(model, device);
  }
  if (tokensPerSecond < READING_SPEED) {
    yield { reason: 'slow', message: `About ${tokensPerSecond.toPrecision(1)} words a second: slower than one reads.` };
  }
  const trained = model.shape?.context;
  if (context > 0 && trained !== undefined && context < Math.min(trained, 4096)) {
    yield {
      reason: 'short-context',
      message: `Memory is there for conversations of ${context} tokens, and no longer ones.`,
    };
  }
}

function whyProcessor({ notOnGpu }: ModelFacts, { gpu }: DeviceFacts): Reason {
  const slower = 'The processor answers, slower.';
  if (!gpu) return { reason: 'no-gpu', message: `There is no GPU to compute with. ${slower}` };
  if (gpu.isFallback) return { reason: 'software-gpu', message: `The GPU here is imitated in software. ${slower}` };
  return { reason: 'not-on-gpu', message: `${notOnGpu ?? ''} ${slower}` };
}

/** Steps of the context, up to what the model was trained for, that fit into memory and the GPU's limits. */
function memoryByContext(model: ModelFacts, device: DeviceFacts, path: Verdict['path']): Verdict['memory'] {
  const trained = model.shape?.context ?? LEAST_CONTEXT;
  const steps = [...CONTEXTS.filter((context) => context < trained), trained];
  return steps
    .map((context) => ({ context, bytes: memoryAt(model, context, device, path) }))
    .filter(({ context, bytes }) => bytes <= device.memory && fitsBinding(model, context, device, path));
}

/** A layer's keys, or its values, are one buffer. Matrices are cut into pieces by those who hold them. */
function fitsBinding({ shape }: ModelFacts, context: number, { gpu }: DeviceFacts, path: Verdict['path']): boolean {
  if (path === 'cpu' || !gpu || !shape) return true;
  const bytes = context * shape.headsKv * shape.headDim * (gpu.f16 ? 2 : 4);
  return bytes <= Math.min(gpu.maxBufferSize, gpu.maxStorageBufferBindingSize);
}

/**
 * Bytes in all: weights, keys and values of so many positions, and what a prompt needs on its way through. Of layers that
 * see a window alone the GPU keeps little more than that; the processor's engine keeps all.
 */
export function memoryAt(
  model: ModelFacts,
  context: number,
  { gpu }: Pick<DeviceFacts, 'gpu'>,
  path: Verdict['path'],
): number {
  const { shape } = model;
  const weights = weightsOn(path, model);
  if (!shape) return weights * 1.2 + RUNTIME;
  const { layers, width, ffnWidth, headsKv, headDim, vocab, windowed } = shape;
  const element = path === 'cpu' || gpu?.f16 === true ? 2 : 4;
  const few = path === 'gpu' && windowed ? windowed.layers : 0;
  const rows = (layers - few) * context + few * rowsKept(windowed?.window, context);
  const cache = 2 * rows * headsKv * headDim * element;
  const scratch = 4 * Math.min(PREFILL, context) * (6 * width + 2 * ffnWidth) + 8 * vocab;
  return weights + cache + scratch + RUNTIME;
}

/**
 * What a page may take of a device's memory. Browsers tell how much there is in coarse steps, and no more than 8 GB;
 * some tell nothing.
 *
 * @param told `navigator.deviceMemory`: GiB
 */
export function memoryBudget(told: number | undefined, isPhone: boolean): number {
  // A phone's system ends pages that take more than about a quarter; half of a computer's memory is the others'.
  const gib = told ?? (isPhone ? 4 : 8);
  return gib * 2 ** 30 * (isPhone ? 0.3 : 0.5);
}

function gigabytes(bytes: number): string {
  return bytes >= 0.95 * 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GB` : `${Math.round(bytes / 2 ** 20)} MB`;
}
