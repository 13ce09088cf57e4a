/**
 * `fireside inspect`: what this machine's GPU is, what it can do, and what was chosen for it.
 */
import { parseArgs } from 'node:util';
import { formatReport, openGpu } from '$gpu';
import type { Command } from '../command';

export const inspect: Command = {
  summary: 'Open the GPU, run the self-test, and print what was found',
  usage: '[--json]',

  async run(args) {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean', default: false } } });
    const gpu = await openGpu();
    try {
      const report = gpu.report();
      console.log(values.json ? JSON.stringify(report, null, 2) : formatReport(report));
      return 0;
    } finally {
      gpu.destroy();
    }
  },
};
