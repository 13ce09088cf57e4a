/** The README's table of types is what the code has. `FIRESIDE_WRITE=1 npx vitest run types` writes it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tensorTypeInfo } from '../../gpu/formats/blocks';
import { bytesPerWeight, layoutOf, MATRIX_TYPES } from '../../gpu/quant';
import { root } from '../../scripts/packages.js';

const README = join(root, 'README.md');
const [BEGIN, END] = ['<!-- types: see tests/house/types.test.ts -->\n', '<!-- /types -->'];

function table(): string {
  const rows = MATRIX_TYPES.map((type) => {
    const { ggml, safetensors, blockBytes, blockElements } = tensorTypeInfo(type);
    const layout = layoutOf(type)!;
    const inFile = blockBytes / blockElements;
    const onGpu = bytesPerWeight(layout);
    const files = [ggml !== undefined && 'GGUF', safetensors && 'safetensors'].filter(Boolean).join(', ');
    const more = onGpu === inFile ? '' : ` (+${Math.round((onGpu / inFile - 1) * 100)} %)`;
    return `| ${type} | ${files} | ${bytes(inFile)} | ${bytes(onGpu)}${more} | \`${layout.name}\` |`;
  });
  const head = ['| type | in | bytes a weight in the file | on the GPU | layout |', '| --- | --- | --- | --- | --- |'];
  return [...head, ...rows].join('\n');
}

const bytes = (value: number): string => String(Math.round(value * 1000) / 1000);

test('the table of types in README is up to date', () => {
  const readme = readFileSync(README, 'utf8');
  const [before, rest] = readme.split(BEGIN);
  const [found, after] = rest?.split(END) ?? [];
  expect(after, `README has ${BEGIN.trim()} and ${END}`).toBeDefined();
  const wanted = `\n${table()}\n\n`;
  if (process.env.FIRESIDE_WRITE === '1') writeFileSync(README, [before, BEGIN, wanted, END, after].join(''));
  else expect(found).toBe(wanted);
});
