/**
 * `fireside score`: for every position of a sequence, the likeliest next tokens. It is what another implementation's
 * numbers are compared with.
 */
import { parseArgs } from 'node:util';
import { Session } from '$gpu/generate';
import { MAX_TOP } from '$gpu/generate/shape';
import { UsageError, type Command } from '../command';
import { withModel } from '../model/open';
import { idList, MODEL_OPTIONS, MODEL_USAGE, modelChoice, wholeNumber } from '../model/options';

const text = { type: 'string' } as const;
const OPTIONS = {
  ...MODEL_OPTIONS,
  ids: text,
  top: text,
  json: { type: 'boolean', default: false },
} as const;

export const score: Command = {
  summary: 'Tell the likeliest next tokens at every position of a sequence',
  usage: `--model MODEL --ids 1,85,... [--top 10] [--json] [options]

${MODEL_USAGE}
  --ids 1,85,...          token ids
  --top N                 how many of the likeliest to tell of
  --json                  {"top_logprobs": [[[id, log-probability], ...], ...]}, a row for every position`,

  async run(args) {
    const { values } = parseArgs({ args, options: OPTIONS });
    if (values.ids === undefined) throw new UsageError('--ids is missing');
    const ids = idList(values.ids);
    const top = wholeNumber(values, 'top', 1, MAX_TOP) ?? 10;
    return withModel(modelChoice(values, 1), async ({ network }, signal) => {
      const session = new Session(network);
      const rows: (readonly (readonly [number, number])[])[] = [];
      for await (const row of session.score(ids, { top, signal })) {
        rows.push(row);
        if (!values.json) console.log(line(ids[rows.length - 1]!, row));
      }
      if (values.json) console.log(JSON.stringify({ top_logprobs: rows }));
      return 0;
    });
  },
};

/** A token, and what may follow it: `736  201 -0.031  12 -4.2`. */
function line(id: number, row: readonly (readonly [number, number])[]): string {
  return [id, ...row.map(([next, logprob]) => `${next} ${logprob.toFixed(4)}`)].join('  ');
}
