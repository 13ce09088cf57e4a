/** The one-way doors are shut: the linter, as `npm run check` runs it, fails on an import against the table. */
import { ESLint } from 'eslint';
import { expect, test } from 'vitest';

/** A file in a room, what it must not import, and what it may. */
interface Row {
  readonly from: string;
  readonly closed: readonly string[];
  readonly open: readonly string[];
}

const ABOVE_ENGINE = ['$lib/chat/state', '$lib/models/picker', '$lib/widget/frame', '../../routes/shared'];

const ROWS: readonly Row[] = [
  {
    from: 'gpu/formats/x.ts',
    closed: ['../device', '../attention', '../model/x', '..', '$lib/weights/x', 'wesl', 'svelte', 'node:fs'],
    open: ['./dtype'],
  },
  {
    from: 'gpu/device/x.ts',
    closed: [
      '../attention',
      '../ops/norm',
      '../model/x',
      '../model/x',
      '../generate/x',
      '../index',
      '$lib/ui/x',
      'svelte',
    ],
    open: ['../formats/dtype', './tensor', 'wesl'],
  },
  ...['attention', 'ops', 'quant'].map((room) => ({
    from: `gpu/${room}/x.ts`,
    closed: [
      '../model/x',
      '../generate/x',
      '..',
      '$lib/engine/client',
      room === 'ops' ? '../attention/x' : '../ops/norm',
    ],
    open: ['../formats/dtype', '../device', room === 'ops' ? '../quant/x' : '../ops/shaders', './y'],
  })),
  {
    from: 'gpu/model/x.ts',
    closed: ['../generate/x', '$lib/weights/x', '../../src/lib/text/x'],
    open: ['../formats/x', '../device', '../attention', '../ops/norm', '../model/x'],
  },
  {
    from: 'gpu/generate/x.ts',
    closed: ['$lib/text/x', '../../src/cli/main'],
    open: ['../model/x', '../ops/x', '../device', '../formats/x'],
  },
  { from: 'gpu/index.ts', closed: ['$lib/engine/worker', 'svelte'], open: ['./device', './attention', './generate/x'] },
  ...['weights', 'text', 'store'].map((room) => ({
    from: `src/lib/${room}/x.ts`,
    closed: ['$gpu', '$gpu/device', '$lib/engine/client', '$lib/catalog/x', ...ABOVE_ENGINE],
    open: ['$gpu/formats/dtype', './y', '../weights/x'],
  })),
  {
    from: 'src/lib/catalog/x.ts',
    closed: ['$gpu', '$lib/text/x', '$lib/engine/client', ...ABOVE_ENGINE],
    open: ['$lib/weights/x', '../store/x', '$gpu/formats/x'],
  },
  {
    from: 'src/lib/engine/x.ts',
    closed: ['$lib/ui/button', ...ABOVE_ENGINE],
    open: ['$gpu', '$gpu/device', '$lib/weights/x', '$lib/text/x', '$lib/store/x', '$lib/catalog/x', './worker'],
  },
  {
    from: 'src/lib/ui/x.ts',
    closed: ['$gpu/formats/dtype', '$lib/engine/client', '$lib/store/x', '$lib/chat/x', '../../routes/x'],
    open: ['./button', 'svelte'],
  },
  {
    from: 'src/lib/conversations/x.ts',
    closed: ['$gpu', '$lib/engine/client', '$lib/store/x', '$lib/ui/x', ...ABOVE_ENGINE],
    open: ['./tree', 'idb-keyval'],
  },
  ...['chat', 'models', 'widget'].map((room) => ({
    from: `src/lib/${room}/x.svelte`,
    closed: ['$gpu', '$gpu/formats/x', '$lib/engine/worker', '$lib/engine/handle', '$lib/weights/x', '../../routes/x'],
    open: [
      '$lib/engine/client',
      '../engine/protocol',
      '$lib/conversations/x',
      '$lib/store/x',
      '$lib/catalog/x',
      '$lib/ui/button',
      'svelte',
    ],
  })),
  ...['src/routes/+page.svelte', 'src/routes/+layout.ts', 'src/service-worker.ts'].map((from) => ({
    from,
    closed: ['$gpu', '$gpu/formats/x', '$lib/engine/worker', '$lib/engine/cpu'],
    open: [
      '$lib/engine/client',
      '$lib/engine/protocol',
      '$lib/engine/handle',
      '$lib/chat/x',
      '$lib/ui/x',
      '$lib/store/x',
    ],
  })),
  {
    from: 'src/cli/commands/x.ts',
    closed: [
      '$lib/chat/x',
      '$lib/models/x',
      '$lib/widget/x',
      '$lib/ui/x',
      '../../routes/x',
      '../../../tests/support/x',
    ],
    open: ['$lib/engine/x', '$lib/weights/x', '$lib/text/x', '$lib/catalog/x', '$gpu', '../main'],
  },
];

const eslint = new ESLint({
  ruleFilter: ({ ruleId }) => ruleId === 'fireside/doors' || ruleId === 'import-x/no-cycle',
  // The files are made up, so no TypeScript project holds them; these two rules need no types.
  overrideConfig: [{ languageOptions: { parserOptions: { projectService: false } } }],
  ignore: false,
});

async function problems(filePath: string, code: string): Promise<string[]> {
  const text = filePath.endsWith('.svelte') ? `<script lang="ts">\n${code}\n</script>\n` : code;
  const [result] = await eslint.lintText(text, { filePath });
  const messages = result?.messages ?? [];
  expect(messages.filter(({ fatal }) => fatal)).toEqual([]);
  return messages.map(({ ruleId }) => String(ruleId));
}

test.each(ROWS)('$from is kept to its doors', async ({ from, closed, open }) => {
  for (const specifier of closed) {
    const found = await problems(from, `import { x } from '${specifier}';`);
    expect(found, `${from} must not import ${specifier}`).toContain('fireside/doors');
  }
  for (const specifier of open) {
    const found = await problems(from, `import { x } from '${specifier}';`);
    expect(found, `${from} may import ${specifier}`).not.toContain('fireside/doors');
  }
});

test.each([
  ['re-export', `export { x } from '$gpu';`],
  ['re-export of all', `export * from '$gpu';`],
  ['dynamic import', `export const x = await import('$gpu');`],
  ['type of an import', `export type X = import('$gpu').Gpu;`],
  ['import of a type', `import type { X } from '$gpu';`],
  ['glob', `export const x = import.meta.glob('/gpu/attention/*.wesl');`],
  ['worker', `export const x = new Worker(new URL('../../../gpu/worker.ts', import.meta.url));`],
  ['query', `import x from '../../../gpu/attention/load.wesl?raw';`],
])('no way round a door: %s', async (_, code) => {
  expect(await problems('src/lib/ui/x.ts', code)).toContain('fireside/doors');
});

test('weights, text and store may name types of the GPU floor, and only types', async () => {
  const file = 'src/lib/weights/x.ts';
  expect(await problems(file, `import type { Tensor } from '$gpu';`)).toEqual([]);
  expect(await problems(file, `import { type Tensor } from '$gpu';`)).toEqual([]);
  expect(await problems(file, `import { type Tensor, openGpu } from '$gpu';`)).toEqual(['fireside/doors']);
});

test.each(['a.ts', 'Page.svelte'])('a circle of imports is an error: %s', async (file) => {
  const [result] = await eslint.lintFiles(`tests/house/fixtures/circle/${file}`);
  expect(result?.messages.map(({ ruleId }) => ruleId)).toEqual(['import-x/no-cycle']);
});

test('each rule is an error in the configuration that `npm run check` uses, in TypeScript and in Svelte', async () => {
  for (const file of ['gpu/device/index.ts', 'src/routes/+page.svelte']) {
    const config = (await new ESLint().calculateConfigForFile(file)) as { rules: Record<string, unknown[]> };
    for (const rule of ['fireside/doors', 'import-x/no-cycle', 'max-lines', '@typescript-eslint/no-explicit-any']) {
      expect(config.rules[rule]?.[0], `${rule} for ${file}`).toBe(2);
    }
  }
});
