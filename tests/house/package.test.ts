/** The library as somebody else's program finds it: built, packed by its own rules, imported by its public name. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatMessage } from 'publint/utils';
import { publint } from 'publint';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildLibrary } from '../../scripts/builds.js';
import { root } from '../../scripts/packages.js';

/** A project that depends on us; `wesl` is what npm would install along. */
const project = mkdtempSync(join(tmpdir(), 'fireside-consumer-'));

beforeAll(() => {
  expect(buildLibrary()).toBe(0);
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules', 'fireside-chat'), 'junction');
});
afterAll(() => rmSync(project, { recursive: true }));

test('publint finds nothing to say', async () => {
  const { messages, pkg } = await publint({ pkgDir: root });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test('its types hold under Node’s own resolution, and are no `any`', () => {
  const file = join(project, 'program.mts');
  writeFileSync(
    file,
    `import { flashAttention, openGpu, type Gpu, type Tensor } from 'fireside-chat/attention';
     const gpu: Gpu = await openGpu();
     const q: Tensor = gpu.upload([1, 2, 3, 4], [1, 1, 1, 4]);
     const { out } = flashAttention(gpu, q, q, q, { causal: true });
     const values: Float32Array = await gpu.download(out);
     // @ts-expect-error
     const wrong: string = gpu;
     // @ts-expect-error
     flashAttention(gpu, q, q, q, { casual: true });
     export { values, wrong };`,
  );
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    strict: true,
    noEmit: true,
    types: [],
  });
  const problems = ts.getPreEmitDiagnostics(program);
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
});

test('it runs in Node as it is, and its shaders are inside', () => {
  const file = join(project, 'program.mjs');
  writeFileSync(
    file,
    `import { attentionReference } from 'fireside-chat/attention';
     const one = { batch: 1, seqQ: 1, seqK: 1, headsQ: 1, headsKv: 1, headDim: 2 };
     console.log(attentionReference([1, 2], [3, 4], [5, 6], one).out.join());`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toBe('5,6\n');
});
