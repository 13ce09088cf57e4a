/**
 * llama.cpp on the CPU, as an oracle: the greedy continuation of token ids by a GGUF file.
 *
 * node-llama-cpp lives in tests/oracles, which `npm test` installs; its program for the CPU comes inside a package. What
 * it has for GPUs, some hundred MB, package.json there replaces by an empty package.
 */
import type { TestContext } from 'vitest';
import { environment } from './gpu';

/** What we use of node-llama-cpp. */
interface Package {
  getLlama(options: {
    gpu: false;
    build: 'never';
    skipDownload: true;
    logLevel: 'error';
    maxThreads: number;
  }): Promise<Llama>;
}

interface Llama {
  loadModel(options: { modelPath: string; gpuLayers: 0; useMmap: false }): Promise<LlamaModel>;
  dispose(): Promise<void>;
}

interface LlamaModel {
  createContext(options: {
    contextSize: number;
    threads: { ideal: number; min: number };
    experimentalKvCacheKeyType?: 'F32';
    experimentalKvCacheValueType?: 'F32';
  }): Promise<LlamaContext>;
  dispose(): Promise<void>;
}

interface LlamaContext {
  getSequence(): {
    evaluate(ids: number[], options: { temperature: 0; yieldEogToken: true }): AsyncGenerator<number, void>;
    controlledEvaluate(
      input: [id: number, options: { generateNext: { probabilities: true; options: { temperature: 0 } } }][],
    ): Promise<readonly ({ next: { probabilities?: ReadonlyMap<number, number> } } | undefined)[]>;
  };
  dispose(): Promise<void>;
}

const CONTEXT = 512;

/** The oracle; skips the test where it cannot be asked. */
export async function llamaCpp(test: TestContext): Promise<LlamaCpp> {
  test.skip(environment === 'chromium', 'llama.cpp is asked under Node alone');
  const oracle = await loadPackage().catch(() => undefined);
  test.skip(oracle === undefined, 'node-llama-cpp is not installed in tests/oracles');
  // Two threads wait for one another by turning in circles, which takes minutes where other work is about.
  return new LlamaCpp(
    await oracle!.getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error', maxThreads: 1 }),
  );
}

async function loadPackage(): Promise<Package> {
  const path = new URL('../oracles/node_modules/node-llama-cpp/dist/index.js', import.meta.url).href;
  return (await import(/* @vite-ignore */ path)) as Package;
}

export class LlamaCpp {
  constructor(private readonly llama: Llama) {}

  /** For each of `prompts`, the likeliest `tokens` next ids, each behind those before it. */
  async greedy(path: string, prompts: readonly (readonly number[])[], tokens: number): Promise<number[][]> {
    const model = await this.llama.loadModel({ modelPath: path, gpuLayers: 0, useMmap: false });
    const texts: number[][] = [];
    for (const ids of prompts) {
      const context = await model.createContext({ contextSize: CONTEXT, threads: { ideal: 1, min: 1 } });
      const text: number[] = [];
      for await (const id of context.getSequence().evaluate([...ids], { temperature: 0, yieldEogToken: true })) {
        text.push(id);
        if (text.length === tokens) break;
      }
      await context.dispose();
      texts.push(text);
    }
    await model.dispose();
    return texts;
  }

  /** After each of `ids`, the natural log-probability of every token of the vocabulary; keys and values in f32. */
  async scores(path: string, ids: readonly number[]): Promise<Map<number, number>[]> {
    const model = await this.llama.loadModel({ modelPath: path, gpuLayers: 0, useMmap: false });
    const context = await model.createContext({
      contextSize: CONTEXT,
      threads: { ideal: 1, min: 1 },
      experimentalKvCacheKeyType: 'F32',
      experimentalKvCacheValueType: 'F32',
    });
    const asked = { generateNext: { probabilities: true, options: { temperature: 0 } } } as const;
    const rows = await context.getSequence().controlledEvaluate(ids.map((id) => [id, asked]));
    await context.dispose();
    await model.dispose();
    return rows.map((row) => {
      const told = [...(row?.next.probabilities ?? [])];
      return new Map(told.map(([id, probability]) => [id, Math.log(probability)]));
    });
  }

  async close(): Promise<void> {
    await this.llama.dispose();
  }
}
