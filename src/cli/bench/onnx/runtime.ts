/**
 * onnxruntime-node, where it is installed: beside the program, in the folder it is run from, on NODE_PATH, or among the
 * test oracles of the source tree. It brings a Dawn of its own, so load it in a process that has no other.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OnnxType } from './model';

/** What we use of it. */
export interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array, options: SessionOptions): Promise<Session> };
  readonly Tensor: new (type: OnnxType, data: OnnxData, dims: readonly number[]) => RuntimeTensor;
}

export interface SessionOptions {
  readonly executionProviders: readonly string[];
  readonly logSeverityLevel?: number;
  readonly graphOptimizationLevel?: 'disabled' | 'all';
  readonly enableProfiling?: boolean;
  readonly profileFilePrefix?: string;
}

export interface Session {
  run(feeds: Feeds): Promise<Readonly<Record<string, RuntimeTensor>>>;
  endProfiling(): void;
  release(): Promise<void>;
}

export type OnnxData = Float32Array | Uint16Array | Int32Array | Uint8Array;
export type Feeds = Readonly<Record<string, RuntimeTensor>>;

export interface RuntimeTensor {
  readonly data: unknown;
}

/** The runtime and its version; undefined where it is not installed. */
export function findRuntime(): { load: () => Runtime; version: string } | undefined {
  const program = process.argv[1] ?? '';
  const places = [program, join(process.cwd(), 'any.js'), join(dirname(program), '..', 'tests', 'oracles', 'any.js')];
  for (const place of places) {
    const require = createRequire(place);
    try {
      const { version } = require('onnxruntime-node/package.json') as { version: string };
      return { load: () => require('onnxruntime-node') as Runtime, version };
    } catch {
      // Not here.
    }
  }
  return undefined;
}
