/** What a model needs, read out of its header or config.json where it lies: a few hundred KB, before a download. */
import { type Choice, StoreError } from '$lib/store';
import {
  type ByteSource,
  configFromGguf,
  configFromJson,
  isJsonObject,
  joinSplit,
  type Json,
  openUrl,
  openWeights,
  readJson,
  SourceError,
  type TensorEntry,
  type WeightsFile,
  WeightsError,
} from '$lib/weights';
import { TENSOR_TYPES } from '../../../gpu/formats/blocks';
import type { ModelConfig } from '../../../gpu/formats/model';
import type { ModelFacts, ModelShape } from './fit';
import { GPU_BYTES, quantFor, quantisedBytes } from './weight-bytes';

export interface DescribeOptions {
  /** What to send along to an address, such as a token to a hub. */
  readonly headersFor?: (url: string) => Record<string, string>;
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
  /** Instead of the network: what a file's bytes are read from. */
  readonly open?: (url: string) => Promise<ByteSource>;
}

/** Rejects with a `StoreError` where the file cannot be had; a model that cannot be run is an answer. */
export async function describeChoice(choice: Choice, options: DescribeOptions = {}): Promise<ModelFacts> {
  const facts = { format: choice.format, fileBytes: choice.bytes, weightBytes: weightBytesOf(choice) };
  try {
    return { ...facts, ...(await needsOf(choice, options)) };
  } catch (error) {
    if (error instanceof SourceError) throw new StoreError(problemOf(error), error.message, { cause: error });
    if (error instanceof WeightsError) return { ...facts, unsupported: error.message };
    throw error;
  }
}

async function needsOf(choice: Choice, options: DescribeOptions): Promise<Partial<ModelFacts>> {
  const isGguf = choice.format === 'gguf';
  const sources: ByteSource[] = [];
  try {
    for (const { path, url } of choice.files) {
      if (!isGguf && path !== 'config.json') continue;
      if (url === undefined)
        throw new StoreError('files', `${choice.name} lies on this device; it is looked into when it is opened.`);
      sources.push(await open(url, options));
    }
    if (!isGguf) return jsonNeeds(await readJson(sources[0]!, options.signal));
    const parts: WeightsFile[] = [];
    for (const source of sources) parts.push(await openWeights(source, options.signal));
    return ggufNeeds(parts.length === 1 ? parts[0]! : joinSplit(parts));
  } finally {
    for (const source of sources) await source.close?.();
  }
}

function open(url: string, { headersFor, fetch: other, signal, open: own }: DescribeOptions): Promise<ByteSource> {
  if (own) return own(url);
  return openUrl(url, { headers: headersFor?.(url) ?? {}, ...(other && { fetch: other }), ...(signal && { signal }) });
}

function weightBytesOf({ files }: Choice): number {
  return files.filter(({ path }) => /\.(gguf|safetensors)$/i.test(path)).reduce((sum, { size }) => sum + size, 0);
}

// ---- GGUF --------------------------------------------------------------------------------------------------------

function ggufNeeds(weights: WeightsFile): Partial<ModelFacts> {
  const kind = weights.metadata.string('general.type', 'model');
  if (kind !== 'model')
    return { unsupported: `The file says that it is no model by itself: it is of the type ${kind}.` };
  const shape = shapeOf(configFromGguf(weights));
  const tensors = [...weights.tensors.values()];
  const strange = tensors.find(({ type }) => GPU_BYTES[type] === undefined);
  if (strange) return { shape, notOnGpu: `Weights of the type ${strange.type} are not computed with on GPUs here.` };
  return { shape, weightBytes: Math.round(tensors.reduce((sum, tensor) => sum + gpuBytes(tensor), 0)) };
}

function gpuBytes({ type, byteLength }: TensorEntry): number {
  const { blockBytes, blockElements } = TENSOR_TYPES[type];
  return (byteLength / blockBytes) * blockElements * GPU_BYTES[type]!;
}

// ---- config.json -------------------------------------------------------------------------------------------------

function jsonNeeds(json: Json): Partial<ModelFacts> {
  const config = configFromJson(json);
  const method = quantMethod(json);
  if (method !== undefined) {
    const message = `Its weights were made smaller in a way that is not known here (${method}). Look for the model's own weights, or a GGUF.`;
    return { unsupported: message };
  }
  const quant = quantFor(config);
  return { shape: shapeOf(config), quant, weightBytes: Math.round(quantisedBytes(config, quant)) };
}

/** GPTQ, AWQ, FP8 and their like, as transformers and MLX write it down. */
function quantMethod(json: Json): string | undefined {
  if (!isJsonObject(json)) return undefined;
  const how = json.quantization_config ?? json.quantization;
  if (!isJsonObject(how)) return undefined;
  return typeof how.quant_method === 'string' ? how.quant_method : 'quantization';
}

function shapeOf(config: ModelConfig): ModelShape {
  const { layers, width, ffnWidth, headsKv, headDim, vocab, context } = config;
  const windows = layers.flatMap(({ window }) => window ?? []);
  const shape = { layers: layers.length, width, ffnWidth, headsKv, headDim, vocab, context };
  return windows.length > 0 ? { ...shape, windowed: { layers: windows.length, window: Math.max(...windows) } } : shape;
}

function problemOf({ problem, status }: SourceError): StoreError['problem'] {
  if (status === 401 || status === 403) return 'gated';
  if (status === 404) return 'not-found';
  return problem === 'network' ? 'network' : 'server';
}
