/**
 * `fireside inspect`: what this machine's GPU is, what it can do, and what was chosen for it.
 */
import { parseArgs } from 'node:util';
import { formatReport, openGpu } from '$gpu';
import type { Command } from '../command';

export const inspect: Command = {
  summary: 'Open the GPU, run the self-test, and print what was found',
  usage: `[--bare] [--json]

  --bare  the device alone: no kernel is compiled or tested
  --json  for programs`,

  async run(args) {
    const flag = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({ args, options: { bare: flag, json: flag } });
    const gpu = await openGpu(values.bare ? { prepare: [] } : {});
    try {
      const report = gpu.report();
      console.log(values.json ? JSON.stringify(report, null, 2) : formatReport(report));
      return 0;
    } finally {
      gpu.destroy();
    }
  },
};
