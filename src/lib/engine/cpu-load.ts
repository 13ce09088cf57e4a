/** Opens a GGUF model on the processor. Loaded only when it is needed: the engine has some 9 MB. */
import { type CacheManager, LoggerWithoutDebug, Wllama, type WllamaConfig } from '@wllama/wllama/esm/index.js';
import wasm from '@wllama/wllama/esm/wasm/wllama.wasm?url';
import { isBlobBacked } from '$lib/store';
import type { ByteSource } from '$lib/weights';
import { CpuRunner } from './cpu-runner';
import { EngineFault } from './errors';

export interface CpuOptions {
  readonly context: number;
  readonly threads: number;
}

/** Tokens of a prompt between two looks at whether it was stopped. */
const BATCH = 256;

/** @param gguf the model's file, or its parts in order */
export async function loadOnCpu(gguf: readonly Blob[], { context, threads }: CpuOptions): Promise<CpuRunner> {
  requireMemory64();
  let engine: Wllama | undefined;
  try {
    engine = new Wllama({ default: wasm }, SETTINGS);
    // Its other build, for browsers without Memory64, would come from somebody else's server.
    engine.setCompat(null);
    await engine.loadModel([...gguf], {
      n_gpu_layers: 0,
      n_ctx: context,
      n_threads: threads,
      n_batch: BATCH,
      n_parallel: 1,
      warmup: false,
      kv_overrides: NOTHING_ADDED,
    });
    return new CpuRunner(engine, context);
  } catch (cause) {
    void engine?.exit();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EngineFault('cpu', `The processor's engine could not open the model: ${why}`, { cause });
  }
}

/** Silent, and without its own store of models, which it would look for where pages that are not trusted have none. */
const SETTINGS: WllamaConfig = {
  suppressNativeLog: true,
  logger: { ...LoggerWithoutDebug, log: () => {}, warn: () => {} },
  cacheManager: {} as CacheManager,
};

/** Prompts are spelt out as a whole. The list ends with an entry without a name, as llama.cpp wants it. */
const NOTHING_ADDED = {
  'tokenizer.ggml.add_bos_token': 'bool:false',
  'tokenizer.ggml.add_eos_token': 'bool:false',
  '': 'bool:false',
};

/** Half of what the processor has: the other half are mostly the second threads of the same cores, or slow ones. */
export function defaultThreads(): number {
  const cores = navigator.hardwareConcurrency || 1;
  return Math.min(8, Math.max(Math.min(2, cores), Math.floor(cores / 2)));
}

/** Memory is shared between threads only in pages that cut themselves off from others. */
export function threadsHere(asked: number): number {
  return self.crossOriginIsolated ? asked : 1;
}

function requireMemory64(): void {
  try {
    new WebAssembly.Memory({ address: 'i64', initial: 1n } as unknown as WebAssembly.MemoryDescriptor);
  } catch (cause) {
    const message =
      'This browser has no WebGPU to compute with, and is too old for the way round it (WebAssembly Memory64). ' +
      'Chrome and Edge have that since 133, Firefox since 134; Safari has WebGPU since 26.';
    throw new EngineFault('cpu', message, { cause });
  }
}

/** All of a source as a Blob, which the browser keeps outside the page's heap. What the store has is one already. */
export async function blobOf(source: ByteSource, signal: AbortSignal, onRead: (bytes: number) => void): Promise<Blob> {
  if (isBlobBacked(source)) {
    onRead(source.size);
    return source.blob();
  }
  let done = 0;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const length = Math.min(CHUNK_BYTES, source.size - done);
      // A copy, since sources lend what they read, and what is enqueued is passed on.
      controller.enqueue(new Uint8Array(await source.read(done, length, signal)));
      onRead((done += length));
      if (done === source.size) controller.close();
    },
  });
  return new Response(stream).blob();
}

const CHUNK_BYTES = 4 * 2 ** 20;
