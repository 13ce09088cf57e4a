/**
 * `fireside bench NAME`: times one part against its peers, and prints a table for people or JSON for programs.
 *
 * A bench is a file in tests/bench; it is packed into this program, so that it also runs on a machine that has nothing
 * but Node and the `webgpu` package.
 */
import { writeFileSync } from 'node:fs';
import { formatReport, openGpu, type Gpu } from '$gpu';
import { benchDispatch, formatDispatchCosts } from '../../../tests/bench/dispatch';
import { UsageError, type Command } from '../command';

interface Bench {
  readonly summary: string;
  /** The names after `bench NAME` are its own. */
  run(gpu: Gpu, args: string[]): Promise<BenchResult>;
}

interface BenchResult {
  /** For people. */
  readonly table: string;
  /** The same figures, and whatever else is worth keeping. */
  readonly figures: unknown;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  dispatch: {
    summary: 'what a dispatch costs the host',
    async run(gpu) {
      const costs = await benchDispatch(gpu);
      return { table: formatDispatchCosts(costs), figures: costs };
    },
  },
};

export const bench: Command = {
  summary: 'Time a part against its peers',
  usage: `NAME [--json FILE]\n\n${list()}`,

  async run(args) {
    const { file, rest } = takeJson(args);
    const [name, ...own] = rest;
    const chosen = name !== undefined && Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    if (!chosen) throw new UsageError(name === undefined ? 'which bench?' : `there is no bench «${name}»`);
    const gpu = await openGpu({ prepare: [] });
    try {
      const { table, figures } = await chosen.run(gpu, own);
      console.log(`${formatReport(gpu.report())}\n\n${table}`);
      if (file) writeFileSync(file, JSON.stringify({ bench: name, report: gpu.report(), figures }, null, 2));
      return 0;
    } finally {
      gpu.destroy();
    }
  },
};

function list(): string {
  return Object.entries(BENCHES)
    .map(([name, { summary }]) => `  ${name.padEnd(10)}  ${summary}`)
    .join('\n');
}

/** Every bench takes `--json FILE`; the other arguments are its own. */
function takeJson(args: string[]): { file: string | undefined; rest: string[] } {
  const at = args.indexOf('--json');
  if (at < 0) return { file: undefined, rest: args };
  const file = args[at + 1];
  if (file === undefined) throw new UsageError('--json wants a file');
  return { file, rest: [...args.slice(0, at), ...args.slice(at + 2)] };
}
