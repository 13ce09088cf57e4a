/** Real models in tests: a file's weights into a Model, whatever the environment. */
import type { TestContext } from 'vitest';
import type { Gpu } from '../../gpu/device';
import type { ModelConfig } from '../../gpu/formats/model';
import { Model, type ModelOptions } from '../../gpu/model';
import {
  blobSource,
  openWeights,
  readJson,
  streamTensors,
  type ByteSource,
  type WeightsFile,
} from '../../src/lib/weights';
import { configFromGguf } from '../../src/lib/weights/config-gguf';
import { configFromJson } from '../../src/lib/weights/config-json';
import { environment } from './gpu';

export interface GoldenPrompt {
  readonly text: string;
  readonly ids: readonly number[];
  /** A row for every position: the ten likeliest next tokens. */
  readonly top_logprobs: readonly (readonly (readonly [id: number, logprob: number])[])[];
  readonly greedy: readonly number[];
  /** Between the two best tokens at each step of `greedy`. */
  readonly greedy_gaps: readonly number[];
}

export interface Golden {
  readonly source: string;
  readonly prompts: readonly GoldenPrompt[];
}

const inPage = environment === 'chromium';

/** The pocket model, which the run's global set-up has made. */
export async function openPocket(): Promise<ByteSource> {
  const path = 'static/pocket/minimind2-small-q8_0.gguf';
  if (!inPage) return openLocal(path);
  const response = await fetch(`/${path}`);
  return blobSource(await response.blob(), path);
}

/** A file of ../shared; skips the test where that is not there, or in a page, which cannot look outside the project. */
export async function openShared(context: TestContext, path: string): Promise<ByteSource> {
  context.skip(inPage, 'a page cannot read ../shared');
  const { existsSync } = await import(/* @vite-ignore */ 'node:fs');
  const file = `../shared/${path}`;
  context.skip(!existsSync(file), `needs ../shared/${path.split('/').slice(0, 2).join('/')}, which is not there`);
  return openLocal(file);
}

async function openLocal(path: string): Promise<ByteSource> {
  const { openFile } = await import('../../src/lib/weights/node-source');
  return openFile(path);
}

/** The configuration beside safetensors, or in the GGUF file itself. */
export async function configOf(weights: WeightsFile, json?: ByteSource): Promise<ModelConfig> {
  if (json) return configFromJson(await readJson(json));
  return configFromGguf(weights);
}

export async function loadModel(
  gpu: Gpu,
  source: ByteSource,
  options?: ModelOptions & { config?: ByteSource },
): Promise<Model> {
  const weights = await openWeights(source);
  const model = new Model(gpu, await configOf(weights, options?.config), weights.tensors.values(), options);
  for await (const { tensor, bytes, last } of streamTensors(weights.files, weights.tensors.values())) {
    const writer = writerOf(model, tensor.name);
    writer?.push(bytes);
    if (last) writer?.finish();
  }
  await model.ready();
  return model;
}

const writers = new WeakMap<Model, Map<string, ReturnType<Model['writer']>>>();

function writerOf(model: Model, name: string): ReturnType<Model['writer']> {
  const known = writers.get(model) ?? new Map<string, ReturnType<Model['writer']>>();
  writers.set(model, known);
  if (!known.has(name)) known.set(name, model.writer(name));
  return known.get(name);
}
