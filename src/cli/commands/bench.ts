/**
 * `fireside bench NAME`: times one part against its peers, and prints a table for people or JSON for programs.
 *
 * A bench is a file in src/cli/bench; it is packed into this program, so that it also runs on a machine that has
 * nothing but Node and the `webgpu` package.
 */
import { writeFileSync } from 'node:fs';
import { formatReport, openGpu } from '$gpu';
import { attentionBench } from '../bench/attention';
import type { Bench } from '../bench/bench';
import { dispatchBench } from '../bench/dispatch';
import { gpuBench } from '../bench/gpu';
import { layoutsBench } from '../bench/layouts';
import { modelBench } from '../bench/model';
import { ONNX_WORKER } from '../bench/onnx/protocol';
import { serveOnnx } from '../bench/onnx/worker';
import { UsageError, type Command } from '../command';

const BENCHES: Readonly<Record<string, Bench>> = {
  attention: attentionBench,
  dispatch: dispatchBench,
  gpu: gpuBench,
  layouts: layoutsBench,
  model: modelBench,
};

export const bench: Command = {
  summary: 'Time a part against its peers',
  usage: `NAME [--json FILE] [--adapter native] [options of NAME]\n\n${list()}`,

  async run(args) {
    const [name, ...rest] = args;
    // Started by the benches themselves.
    if (name === ONNX_WORKER) return serveOnnx();
    const chosen = name !== undefined && Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    if (!chosen) throw new UsageError(name === undefined ? 'which bench?' : `there is no bench «${name}»`);
    const json = takeOption(rest, '--json');
    const adapter = takeOption(json.rest, '--adapter');
    if (adapter.value !== undefined && adapter.value !== 'native') {
      throw new UsageError(
        `--adapter ${adapter.value}: only «npm run bench» looks for drivers; here set VK_DRIVER_FILES`,
      );
    }
    return time(chosen, name!, adapter.rest, json.value);
  },
};

async function time(chosen: Bench, name: string, args: string[], file: string | undefined): Promise<number> {
  const gpu = await openGpu({ prepare: [] });
  const save = (figures: unknown): void => {
    if (file) writeFileSync(file, JSON.stringify({ bench: name, report: gpu.report(), figures }, null, 2));
  };
  try {
    const { table, figures, failure } = await chosen.run(gpu, args, save);
    console.log(`${formatReport(gpu.report())}\n\n${table}`);
    save(figures);
    if (failure) console.error(`fireside: ${failure}`);
    return failure ? 1 : 0;
  } finally {
    gpu.destroy();
  }
}

function list(): string {
  const width = Math.max(...Object.keys(BENCHES).map((name) => name.length));
  return Object.entries(BENCHES)
    .flatMap(([name, { summary, options = [] }]) => [
      `  ${name.padEnd(width)}  ${summary}`,
      ...options.map((line) => `  ${' '.repeat(width)}    ${line}`),
    ])
    .join('\n');
}

/** Every bench takes `--json` and `--adapter`; the other arguments are its own. */
function takeOption(args: string[], option: string): { value: string | undefined; rest: string[] } {
  const at = args.indexOf(option);
  if (at < 0) return { value: undefined, rest: args };
  const value = args[at + 1];
  if (value === undefined) throw new UsageError(`${option} wants a value`);
  return { value, rest: [...args.slice(0, at), ...args.slice(at + 2)] };
}
