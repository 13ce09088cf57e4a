/** From a model's files to a model that answers on the GPU; the same for the worker and for the command line. */
import type { AttentionKind, Gpu } from '$gpu';
import { SessionPool } from '$gpu/generate';
import { Model, type Activations, type KvKind, type QuantisedTensor } from '$gpu/model';
import type { QuantName } from '$gpu/formats/quantise';
import type { ModelConfig } from '$gpu/formats/model';
import { quantFor } from '$lib/catalog/weight-bytes';
import {
  configFromGguf,
  configFromJson,
  requireFinite,
  streamTensors,
  type TensorEntry,
  type WeightsFile,
} from '$lib/weights';
import { ChatModel } from './chat-model';
import { Grammars } from './grammar/masks';
import { loadXgrammar, type Xgrammar } from './grammar/xgrammar';
import { GpuRunner } from './gpu-runner';
import { openModel, type ModelPlace, type OpenedModel } from './open-model';
import type { LoadProgress } from './protocol';

/** Tokens, unless others are asked for: models are trained for more than most devices have memory for. */
const USUAL_CONTEXT = 8192;
/** Bytes that may be on their way to the GPU; after each half of them we wait for the half before. */
const MOST_UNDER_WAY = 16 * 1024 * 1024;

export interface GpuLoadOptions {
  /** Tokens of prompt and answer together; at most what the model was trained for. */
  readonly context?: number | undefined;
  /** Quantises what the files have in 16 or 32 bits while it goes to the GPU. */
  readonly quant?: QuantName | 'auto' | undefined;
  /** Bytes of the KV caches of all conversations; default: of one as long as the context. */
  readonly memoryBudget?: number | undefined;
  /** 'fast' lets one token's products round activations to 8 bits where that is measured to be faster; default 'exact'. */
  readonly activations?: Activations | undefined;
  /** How keys and values are kept; default 'auto'. */
  readonly kv?: KvKind | undefined;
  /** Which attention kernels may serve; default 'auto'. */
  readonly attention?: AttentionKind | undefined;
  /** What makes masks of grammars, fetched for the first answer that wants one. Default: as pages load it. */
  readonly loadXgrammar?: () => Promise<Xgrammar>;
  readonly signal: AbortSignal;
  readonly progress: (value: LoadProgress) => void;
}

export interface ModelOnGpu {
  readonly name: string;
  /** Of the files. */
  readonly bytes: number;
  readonly model: ChatModel;
  /** What it computes with: for what is no answer. */
  readonly network: Model;
  /** What quantising has cost, by tensor; empty where nothing was quantised. */
  readonly quantised: readonly QuantisedTensor[];
}

/** Closing the model closes the GPU too; where this rejects, the GPU is left open. */
export async function openOnGpu(gpu: Gpu, place: ModelPlace, options: GpuLoadOptions): Promise<ModelOnGpu> {
  const opened = await openModel(place, options.signal);
  const { weights, tokenizer, template, name } = opened;
  let model: Model | undefined;
  try {
    const config = configOf(opened);
    const context = Math.min(options.context ?? USUAL_CONTEXT, config.context);
    const { attention, kv, activations } = options;
    const quant = options.quant === 'auto' ? usualQuant(opened, config) : options.quant;
    model = new Model(gpu, config, weights.tensors.values(), {
      ...{ context, quant },
      ...(attention && { attention }),
      ...(kv && { kv }),
      ...(activations && { activations }),
    });
    await readWeights(gpu, model, weights, options);
    options.progress({ phase: 'upload' });
    await gpu.idle();
    const quantised = await model.weights.quantisationErrors();
    options.progress({ phase: 'compile' });
    await model.ready();
    const { memoryBudget } = options;
    const sessions = new SessionPool(model, memoryBudget === undefined ? {} : { memoryBudget });
    await sessions.ready();
    options.signal.throwIfAborted();
    const grammars = new Grammars(tokenizer, config.vocab, options.loadXgrammar ?? loadXgrammar);
    return {
      name,
      bytes: weights.files.reduce((sum, { size }) => sum + size, 0),
      model: new ChatModel({ tokenizer, template, runner: runnerOf(gpu, model, sessions, opened), grammars }),
      network: model,
      quantised,
    };
  } catch (error) {
    model?.destroy();
    throw error;
  } finally {
    await opened.close();
  }
}

function configOf({ weights, config }: OpenedModel): ModelConfig {
  if (config !== undefined) return configFromJson(config);
  return configFromGguf(weights);
}

/** GGUF files are as their publisher wants them. Rows that are no whole blocks stay as they are. */
function usualQuant({ weights }: OpenedModel, config: ModelConfig): QuantName | undefined {
  return weights.format === 'safetensors' && config.width % 32 === 0 ? quantFor(config) : undefined;
}

/**
 * A few chunks in memory, whatever the model's size: each write to the GPU is copied, and the copy stays until the GPU
 * has taken it. So no more than a few are on their way.
 */
async function readWeights(
  gpu: Gpu,
  model: Model,
  weights: WeightsFile,
  { signal, progress }: GpuLoadOptions,
): Promise<void> {
  const wanted = [...weights.tensors.values()].filter(({ name }) => model.writer(name) !== undefined);
  const total = wanted.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let done = 0;
  let underWay = 0;
  let halfBefore: Promise<void> | undefined;
  let current: TensorEntry | undefined;
  let writer: ReturnType<Model['writer']>;
  progress({ phase: 'read', done, total });
  for await (const { tensor, byteOffset, bytes, last } of streamTensors(weights.files, wanted, { signal })) {
    if (tensor !== current) writer = model.writer(tensor.name);
    current = tensor;
    requireFinite(weights.files[tensor.file]!.name, tensor, byteOffset, bytes);
    writer?.push(bytes);
    if (last) writer?.finish();
    progress({ phase: 'read', done: (done += bytes.length), total });
    underWay += bytes.length;
    if (underWay < MOST_UNDER_WAY / 2) continue;
    underWay = 0;
    await halfBefore;
    halfBefore = gpu.idle();
    // Awaited a half later, or, where none follows, by the caller's own wait.
    halfBefore.catch(() => undefined);
  }
}

function runnerOf(gpu: Gpu, model: Model, sessions: SessionPool, { tokenizer }: OpenedModel): GpuRunner {
  const close = (): void => {
    model.destroy();
    gpu.destroy();
  };
  return new GpuRunner({ sessions, tokenizer, close });
}
