/** The library as somebody else's project finds it: built, packed by its own rules, unpacked, imported by its public names. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatMessage } from 'publint/utils';
import { publint } from 'publint';
import ts from 'typescript';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCli, buildLibrary } from '../../scripts/builds.js';
import { findEnvironments, vulkanEnvironment } from '../../scripts/environments.js';
import { root } from '../../scripts/packages.js';
import { ensurePocket } from '../../scripts/pocket.js';
import { missingPackage, oracle } from '../support/oracles';

const project = mkdtempSync(join(tmpdir(), 'fireside-consumer-'));
const installed = join(project, 'node_modules', 'fireside-chat');
let tarball = '';

/** What npm would do for somebody, without a network: what we depend on is linked. */
beforeAll(() => {
  expect(buildLibrary()).toBe(0);
  expect(buildCli()).toBe(0);
  const packed = spawnSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', project], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(packed.status, packed.stderr).toBe(0);
  tarball = join(project, packed.stdout.trim().split('\n').at(-1)!);
  mkdirSync(installed, { recursive: true });
  expect(spawnSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']).status).toBe(0);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: object;
  };
  for (const name of [...Object.keys(dependencies), 'webgpu']) {
    const link = join(project, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link, 'junction');
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }');
});
afterAll(() => rmSync(project, { recursive: true }));

test('publint finds nothing to say', async () => {
  const { messages, pkg } = await publint({ pkgDir: root });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test('are-the-types-wrong finds nothing wrong for whoever imports modules', async (context) => {
  const missing = missingPackage('@arethetypeswrong/core');
  if (missing) return context.skip(missing);
  interface Attw {
    createPackageFromTarballData(data: Uint8Array): object;
    checkPackage(packed: object): Promise<{ problems: { kind: string; resolutionKind?: string }[] }>;
  }
  const attw = await oracle<Attw>('@arethetypeswrong/core');
  const { problems } = await attw.checkPackage(attw.createPackageFromTarballData(readFileSync(tarball)));
  // A package of modules alone: `require` and resolution from before `exports` are not meant.
  const meant = problems.filter(({ resolutionKind }) => resolutionKind !== 'node10' && resolutionKind !== 'node16-cjs');
  expect(meant).toEqual([]);
});

test('its types hold under Node’s own resolution, and are no `any`', () => {
  const file = join(project, 'program.mts');
  writeFileSync(
    file,
    `import { flashAttention, openGpu, type Gpu, type Tensor } from 'fireside-chat/attention';
     import { createFireside, type Fireside } from 'fireside-chat';
     import { defineFiresideChat, type FiresideChat, type WidgetTool } from 'fireside-chat/widget';
     import { createFireside as inNode, createHandler, type ApiEngine } from 'fireside-chat/node';
     const gpu: Gpu = await openGpu();
     const q: Tensor = gpu.upload([1, 2, 3, 4], [1, 1, 1, 4]);
     const { out } = flashAttention(gpu, q, q, q, { causal: true });
     const values: Float32Array = await gpu.download(out);
     const fireside: Fireside = await createFireside({ model: 'x.gguf', onProgress: ({ phase }) => console.log(phase) });
     const response: Response = await fireside.fetch('http://fireside/v1/models');
     declare const engine: ApiEngine;
     const handled: Response = await createHandler({ engine })(new Request('http://fireside/v1/models'));
     defineFiresideChat({ app: 'https://chat.example/' });
     const chat: FiresideChat = document.createElement('fireside-chat');
     chat.tools = [{ name: 'a', description: 'b', run: () => 1 }] satisfies WidgetTool[];
     chat.addEventListener('progress', ({ detail }) => console.log(detail.done / detail.total));
     chat.model = 'pocket';
     // @ts-expect-error
     chat.addEventListener('message', ({ detail }) => detail.words);
     // @ts-expect-error
     const wrong: string = gpu;
     // @ts-expect-error
     flashAttention(gpu, q, q, q, { casual: true });
     // @ts-expect-error
     await inNode({ modle: 'x.gguf' });
     // @ts-expect-error
     const alsoWrong: string = fireside.model;
     export { values, wrong, response, handled, alsoWrong };`,
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

function runInNode(source: string, env: NodeJS.ProcessEnv = {}): string {
  const file = join(project, 'program.mjs');
  writeFileSync(file, source);
  const options = { encoding: 'utf8', cwd: root, env: { ...process.env, ...env } } as const;
  const { stdout, stderr } = spawnSync(process.execPath, [file], options);
  // Dawn says of a software adapter that it lowers a limit.
  expect(stderr.replace(/^Warning: max\w+ artificially reduced .*\n|^\n/gm, '')).toBe('');
  return stdout;
}

test('the attention runs in Node as it is, and its shaders are inside', () => {
  const out = runInNode(
    `import { attentionReference } from 'fireside-chat/attention';
     const one = { batch: 1, seqQ: 1, seqK: 1, headsQ: 1, headsKv: 1, headDim: 2 };
     console.log(attentionReference([1, 2], [3, 4], [5, 6], one).out.join());`,
  );
  expect(out).toBe('5,6\n');
});

test('the widget can be imported where there is no page, as on a server that makes one', () => {
  const out = runInNode(
    `import { defineFiresideChat, FiresideChat } from 'fireside-chat/widget';
     defineFiresideChat({ app: 'https://chat.example/' });
     console.log(FiresideChat.app);`,
  );
  expect(out).toBe('https://chat.example/\n');
});

test('the handler runs in Node as it is, and tells what is wrong with a model', () => {
  const out = runInNode(
    `import { createFireside, createHandler } from 'fireside-chat/node';
     const handle = createHandler({ engine: { model: undefined, generate: () => Promise.reject(new Error('never')) } });
     const response = await handle(new Request('http://fireside/v1/models'));
     console.log(JSON.stringify(await response.json()));
     await createFireside({ model: '/nowhere.gguf' }).catch(({ name, code }) => console.log(name, code));`,
  );
  expect(out).toBe('{"object":"list","data":[]}\nEngineError files\n');
});

test('README’s example runs as it stands there', async (context) => {
  const { lavapipe } = findEnvironments();
  const missing = missingPackage('openai') ?? (lavapipe ? undefined : 'no lavapipe');
  if (missing) return context.skip(missing);
  symlinkSync(
    join(root, 'tests', 'oracles', 'node_modules', 'openai'),
    join(project, 'node_modules', 'openai'),
    'junction',
  );
  await ensurePocket();
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, example = ''] = /<!-- example: .*?```js\n(.*?)```/s.exec(readme) ?? [];
  expect(runInNode(example, vulkanEnvironment(lavapipe!))).toContain('Paris');
});

test('a fresh Vite project builds with it, worker and all', async () => {
  writeFileSync(join(project, 'index.html'), '<script type="module" src="/main.js"></script>');
  writeFileSync(
    join(project, 'main.js'),
    `import { createFireside } from 'fireside-chat';
     const fireside = await createFireside({ model: '/model.gguf' });
     document.body.textContent = await (await fireside.fetch('http://fireside/v1/models')).text();`,
  );
  await build({
    root: project,
    configFile: false,
    logLevel: 'error',
    worker: { format: 'es' },
    build: { target: 'es2023' },
  });
  const assets = readdirSync(join(project, 'dist', 'assets'));
  expect(
    assets.some((name) => /^worker.*\.js$/.test(name)),
    assets.join(),
  ).toBe(true);
  const page = readFileSync(
    join(
      project,
      'dist',
      'assets',
      assets.find((name) => /^index.*\.js$/.test(name))!,
    ),
    'utf8',
  );
  expect(page).toMatch(/worker-[\w-]+\.js/);
});
