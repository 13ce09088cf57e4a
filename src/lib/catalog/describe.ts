/** What a model needs, read out of its header or config.json where it lies: a few hundred KB, before a download. */
import { type Choice, StoreError } from '$lib/store';
import {
  type ByteSource,
  configFromGguf,
  configFromJson,
  openUrl,
  openWeights,
  readJson,
  SourceError,
  WeightsError,
} from '$lib/weights';
import type { ModelConfig } from '../../../gpu/formats/model';
import type { ModelFacts, ModelShape } from './fit';

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
    return { ...facts, shape: shapeOf(await configOf(choice, options)) };
  } catch (error) {
    if (error instanceof SourceError) throw new StoreError(problemOf(error), error.message, { cause: error });
    if (error instanceof WeightsError) return { ...facts, unsupported: error.message };
    throw error;
  }
}

async function configOf(choice: Choice, options: DescribeOptions): Promise<ModelConfig> {
  const isGguf = choice.format === 'gguf';
  const file = isGguf ? choice.files[0] : choice.files.find(({ path }) => path === 'config.json');
  if (file?.url === undefined)
    throw new StoreError('files', `${choice.name} lies on this device; it is looked into when it is opened.`);
  const source = await open(file.url, options);
  try {
    if (!isGguf) return configFromJson(await readJson(source, options.signal));
    return configFromGguf(await openWeights(source, options.signal));
  } finally {
    await source.close?.();
  }
}

function open(url: string, { headersFor, fetch: other, signal, open: own }: DescribeOptions): Promise<ByteSource> {
  if (own) return own(url);
  return openUrl(url, { headers: headersFor?.(url) ?? {}, ...(other && { fetch: other }), ...(signal && { signal }) });
}

function weightBytesOf({ files }: Choice): number {
  return files.filter(({ path }) => /\.(gguf|safetensors)$/i.test(path)).reduce((sum, { size }) => sum + size, 0);
}

function shapeOf(config: ModelConfig): ModelShape {
  const { layers, width, ffnWidth, headsKv, headDim, vocab, context } = config;
  return { layers: layers.length, width, ffnWidth, headsKv, headDim, vocab, context };
}

function problemOf({ problem, status }: SourceError): StoreError['problem'] {
  if (status === 401 || status === 403) return 'gated';
  if (status === 404) return 'not-found';
  return problem === 'network' ? 'network' : 'server';
}
