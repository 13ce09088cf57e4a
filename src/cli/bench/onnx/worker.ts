/** The process that runs ONNX Runtime's WebGPU provider: it is asked one case at a time, and answers with times. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inputsOf } from '$lib/engine/bench/attention/cases';
import { Check } from '$lib/engine/bench/attention/check';
import { differenceOf, summarize, type Figure } from '$lib/engine/bench/statistics';
import { chainOf, feedsOf, floatsOf } from './attention';
import { encodeModel, type OnnxGraph } from './model';
import { errorOfProduct, productFeeds, productGraph, productInputs } from './product';
import { kernelTimes, type KernelTimes, type TraceEvent } from './profile';
import type { PeerAnswer, PeerQuestion, PeerTimes } from './protocol';
import { findRuntime, type Feeds, type OnnxData, type Runtime, type Session } from './runtime';

/** A run of this length is all operator: a chain would tell nothing new. */
const LONG_MS = 150;
/** A chain this long outweighs the copies of a run. */
const CHAIN_MS = 60;
const SHORTEST_CHAIN = 8;
const LONGEST_CHAIN = 256;
const LONGEST_PROFILED = 16;
const FEWEST_RUNS = 3;
const MOST_RUNS = 15;

/** Answers until the other side hangs up. */
export async function serveOnnx(): Promise<number> {
  const runtime = findRuntime()?.load();
  if (!runtime || !process.send) return 1;
  const answer = async (question: PeerQuestion): Promise<void> => {
    const said = await measure(runtime, question).catch((error: unknown): PeerAnswer => ({
      failure: error instanceof Error ? error.message : String(error),
    }));
    process.send?.(said);
  };
  process.on('message', (question) => void answer(question as PeerQuestion));
  await new Promise((resolve) => process.on('disconnect', resolve));
  return 0;
}

/** What is asked: graphs of any number of nodes, what they are fed, and how wrong their output is. */
interface Subject {
  readonly graph: (nodes: number) => OnnxGraph;
  readonly feeds: Feeds;
  /** Nodes that do the same are all to run; what is a chain may be optimised. */
  readonly optimised: boolean;
  readonly errorOf: (output: Float32Array) => number;
}

function subjectOf(runtime: Runtime, question: PeerQuestion): Subject {
  if ('product' in question) {
    const { product } = question;
    const inputs = productInputs(product);
    return {
      graph: (nodes) => productGraph(product, nodes),
      feeds: productFeeds(runtime, product, inputs),
      optimised: false,
      errorOf: (output) => errorOfProduct(product, inputs, output),
    };
  }
  const { one } = question;
  const inputs = inputsOf(one);
  const check = new Check(one, inputs);
  return {
    graph: (nodes) => chainOf(one, nodes),
    feeds: feedsOf(runtime, one, inputs),
    optimised: true,
    errorOf: (output) => check.errorOf(output),
  };
}

async function measure(runtime: Runtime, question: PeerQuestion): Promise<PeerAnswer> {
  const { patience } = question;
  const subject = subjectOf(runtime, question);
  const bench = new Chains(runtime, subject);
  const single = await bench.open(1);
  const error = subject.errorOf(await single.output());
  const operator = await timeOperator(bench, single, patience);
  await single.close();
  const profiled = await profileKernels(bench, Math.min(operator.nodes, LONGEST_PROFILED), operator, patience);
  const times: PeerTimes = { ...operator, error };
  if (!profiled) return { times };
  return { times: { ...times, kernels: summarize(profiled.node), programs: profiled.programs } };
}

type OperatorTime = Pick<PeerTimes, 'operator' | 'nodes'>;

/** A long chain less a chain of one; or one alone, where it is long enough to drown the copies. */
async function timeOperator(bench: Chains, single: Chain, patience: number): Promise<OperatorTime> {
  const once = await single.time(patience / 2);
  if (once.median > LONG_MS) return { operator: once, nodes: 1 };
  const probe = await bench.open(SHORTEST_CHAIN);
  await probe.run();
  const probed = await probe.time(patience / 4);
  await probe.close();
  const each = Math.max(1e-3, differenceOf(probed, once, SHORTEST_CHAIN - 1).median);
  const nodes = Math.round(Math.min(LONGEST_CHAIN, Math.max(SHORTEST_CHAIN, CHAIN_MS / each)));
  const long = nodes > SHORTEST_CHAIN ? await bench.open(nodes) : undefined;
  if (!long) return { operator: differenceOf(probed, once, nodes - 1), nodes };
  await long.run();
  const whole = await long.time(patience);
  await long.close();
  return { operator: differenceOf(whole, once, nodes - 1), nodes };
}

async function profileKernels(
  bench: Chains,
  nodes: number,
  { operator }: OperatorTime,
  patience: number,
): Promise<KernelTimes | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'fireside-onnx-'));
  try {
    const chain = await bench.open(nodes, join(folder, 'profile'));
    const wanted = Math.round(patience / Math.max(0.1, operator.median * nodes));
    const runs = 1 + Math.min(MOST_RUNS, Math.max(FEWEST_RUNS, wanted));
    for (let run = 0; run < runs; run++) await chain.run();
    chain.endProfiling();
    await chain.close();
    const file = readdirSync(folder)[0];
    if (file === undefined) return undefined;
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as TraceEvent[];
    return kernelTimes(events, { nodes, runs, warm: 1 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Sessions of one subject. */
class Chains {
  constructor(
    private readonly runtime: Runtime,
    private readonly subject: Subject,
  ) {}

  async open(nodes: number, profile?: string): Promise<Chain> {
    const graph = this.subject.graph(nodes);
    const session = await this.runtime.InferenceSession.create(encodeModel(graph), {
      executionProviders: ['webgpu'],
      graphOptimizationLevel: this.subject.optimised ? 'all' : 'disabled',
      // Errors only: it has much to say.
      logSeverityLevel: 3,
      ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    });
    return new Chain(session, this.subject.feeds, graph.outputs[0]!.name);
  }
}

class Chain {
  constructor(
    private readonly session: Session,
    private readonly feeds: Feeds,
    private readonly name: string,
  ) {}

  async output(): Promise<Float32Array> {
    const outputs = await this.session.run(this.feeds);
    return floatsOf(outputs[this.name]!.data as OnnxData);
  }

  /** Milliseconds. */
  async run(): Promise<number> {
    const start = performance.now();
    await this.session.run(this.feeds);
    return performance.now() - start;
  }

  /** Of a chain that is warm. */
  async time(patience: number): Promise<Figure> {
    const samples: number[] = [];
    let spent = 0;
    while (samples.length < FEWEST_RUNS || (samples.length < MOST_RUNS && spent < patience)) {
      samples.push(await this.run());
      spent += samples.at(-1)!;
    }
    return summarize(samples);
  }

  endProfiling(): void {
    this.session.endProfiling();
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}
