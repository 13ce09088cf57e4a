/** The README's tables are what the code has. `FIRESIDE_WRITE=1 npx vitest run tables` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tensorTypeInfo } from '../../gpu/formats/blocks';
import { ARCHITECTURES, FAMILIES } from '../../gpu/formats/families';
import type { Blocks } from '../../gpu/formats/model';
import { bytesPerWeight, layoutOf, MATRIX_TYPES } from '../../gpu/quant';
import { root } from '../../scripts/packages.js';

const README = join(root, 'README.md');

function typesTable(): string {
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

function familiesTable(): string {
  const rows = ARCHITECTURES.map((name) => {
    const { models, hfTypes, blocks } = FAMILIES[name];
    return `| ${models} | \`${name}\` | ${hfTypes.map((type) => `\`${type}\``).join(', ')} | ${blocksOf(blocks)} |`;
  });
  return ['| models | GGUF | config.json | besides Llama’s blocks |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function blocksOf({ activation, norms, queryKeyNorm, biased, fused }: Blocks): string {
  const parts = [
    biased && 'biases of q, k, v',
    fused && 'q, k, v fused, gate and up too',
    queryKeyNorm !== 'none' && `norms of q and k, by ${queryKeyNorm}`,
    norms !== 'before' && (norms === 'after' ? 'norms behind the branches' : 'norms before and behind the branches'),
    activation === 'gelu' && 'GELU gates',
  ];
  return parts.filter(Boolean).join('; ') || 'none';
}

test.each([
  ['types', typesTable],
  ['families', familiesTable],
])('the table of %s in README is up to date', (name, table) => {
  const [begin, end] = [`<!-- ${name}: see tests/house/tables.test.ts -->\n`, `<!-- /${name} -->`];
  const readme = readFileSync(README, 'utf8');
  const [before, rest] = readme.split(begin);
  const [found, after] = rest?.split(end) ?? [];
  expect(after, `README has ${begin.trim()} and ${end}`).toBeDefined();
  const wanted = `\n${table()}\n\n`;
  if (process.env.FIRESIDE_WRITE === '1') writeFileSync(README, [before, begin, wanted, end, after].join(''));
  else expect(found).toBe(wanted);
});
