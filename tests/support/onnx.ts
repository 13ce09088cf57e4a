/**
 * One operator of ONNX Runtime, as an oracle: a model of a single node is written in memory and run on the CPU.
 *
 * onnxruntime-node lives in tests/oracles, which `npm test` installs; a page has none of it.
 */
import { encodeModel, type OnnxType } from '../../src/cli/bench/onnx/model';
import { environment } from './gpu';

export interface OnnxInput {
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly data: Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;
}

/** A node: its inputs in order, null where an optional one is left out; whole numbers become int attributes. */
export interface OnnxNode {
  readonly operator: string;
  readonly domain: '' | 'com.microsoft';
  readonly inputs: readonly (OnnxInput | null)[];
  readonly outputs: readonly OnnxType[];
  readonly ints?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
}

/** Why the oracle cannot be asked here, if it cannot. */
export async function missingOracle(): Promise<string | undefined> {
  if (environment === 'chromium') return 'ONNX Runtime is asked under Node alone';
  return loadRuntime().then(
    () => undefined,
    () => 'onnxruntime-node is not installed in tests/oracles',
  );
}

/** Runs the node on the CPU; the values of its first output. */
export async function runNode(node: OnnxNode): Promise<Float32Array> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(modelOf(node), { executionProviders: ['cpu'] });
  const feeds: Record<string, unknown> = {};
  node.inputs.forEach((input, n) => {
    if (input) feeds[`in${n}`] = new Tensor(input.type, input.data, input.dims);
  });
  const results = await session.run(feeds);
  await session.release();
  return results.out0!.data as Float32Array;
}

// ---- the runtime -----------------------------------------------------------------------------------------------

/** What we use of onnxruntime-node. */
interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: { executionProviders: readonly string[] }): Promise<Session>;
  };
  readonly Tensor: new (type: string, data: OnnxInput['data'], dims: readonly number[]) => unknown;
}

interface Session {
  run(feeds: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, { readonly data: unknown }>>>;
  release(): Promise<void>;
}

async function loadRuntime(): Promise<Runtime> {
  const { createRequire } = await import('node:module');
  const fromOracles = createRequire(new URL('../oracles/package.json', import.meta.url));
  return fromOracles('onnxruntime-node') as Runtime;
}

// ---- the model -------------------------------------------------------------------------------------------------

/** Dimensions of inputs are symbols; of outputs not even the rank is given. */
function modelOf({ operator, domain, inputs, outputs, ints = {}, floats = {} }: OnnxNode): Uint8Array {
  return encodeModel({
    inputs: inputs.flatMap((input, n) =>
      input ? [{ name: `in${n}`, type: input.type, dims: input.dims.map((_, d) => `in${n}_${d}`) }] : [],
    ),
    outputs: outputs.map((type, n) => ({ name: `out${n}`, type })),
    nodes: [
      {
        operator,
        domain,
        inputs: inputs.map((input, n) => (input ? `in${n}` : '')),
        outputs: outputs.map((_, n) => `out${n}`),
        ints,
        floats,
      },
    ],
  });
}
