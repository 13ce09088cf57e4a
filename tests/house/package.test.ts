/** The library as somebody else's project finds it: built, packed by its own rules, unpacked, imported by its public names. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatMessage } from 'publint/utils';
import { chromium, type Page } from 'playwright';
import { publint } from 'publint';
import ts from 'typescript';
import { build } from 'vite';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { buildCli, buildLibrary } from '../../scripts/builds.js';
import {
  chromiumSwitches,
  findChromium,
  findEnvironments,
  softwareGpuSwitches,
  vulkanEnvironment,
} from '../../scripts/environments.js';
import { root } from '../../scripts/packages.js';
import { ensurePocket } from '../../scripts/pocket.js';
import { serve } from '../../scripts/serve.js';
import { doubleSource } from '../e2e/engine-double';
import { bundleClients } from '../support/clients/bundle';
import { CASES, type Door } from '../support/clients/suite';
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
  const told = problems.map(({ file: at, messageText }) => {
    return `${at?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(told).toEqual([]);
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

// ---- in a page ---------------------------------------------------------------------------------------------------

interface Opened {
  readonly fireside: Promise<{ model: { name: string; path: string }; fetch: typeof fetch; close(): void }>;
}
type Run = typeof globalThis & Opened & { runClients: (door: Door) => Promise<Record<string, string>> };

/** A project of Vite's that opens a model with it, built; returns the folder of what was built. */
async function viteProject(): Promise<string> {
  writeFileSync(join(project, 'index.html'), '<script type="module" src="/main.js"></script>');
  writeFileSync(
    join(project, 'main.js'),
    `import { createFireside } from 'fireside-chat';
     const path = new URLSearchParams(location.search).get('path');
     globalThis.fireside = createFireside({ model: '/model.gguf', path, threads: 1, context: 512 });`,
  );
  const config = { configFile: false, logLevel: 'error', worker: { format: 'es' } } as const;
  await build({ ...config, root: project, build: { target: 'es2023' } });
  return join(project, 'dist');
}

/** Opens the project in a page, on this path, and asks there. */
async function inPage<T>(folder: string, path: 'cpu' | 'gpu', ask: (page: Page) => Promise<T>): Promise<T> {
  const server = await serve({ folder, port: 0, host: '127.0.0.1', base: '' });
  const args = [...chromiumSwitches, ...(path === 'gpu' ? softwareGpuSwitches : [])];
  const browser = await chromium.launch({ executablePath: findChromium()!, args });
  try {
    const page = await browser.newPage();
    const address = server.address();
    await page.goto(`http://localhost:${typeof address === 'object' ? address?.port : ''}/?path=${path}`);
    return await ask(page);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

interface Told {
  readonly path: string;
  readonly list: string;
  readonly whole: string;
  readonly streamed: string;
  readonly masked: string;
}

/** What the pocket model answers there: whole, streamed, and as JSON. */
function askPocket(page: Page): Promise<Told> {
  return page.evaluate(async () => {
    const { model, fetch } = await (globalThis as Run).fireside;
    const chat = async (fields: object): Promise<string> => {
      const messages = [{ role: 'user', content: 'What is the capital of France?' }];
      const headers = { 'Content-Type': 'application/json' };
      const body = JSON.stringify({ model: model.name, messages, temperature: 0, max_tokens: 12, ...fields });
      return (await fetch('http://fireside/v1/chat/completions', { method: 'POST', headers, body })).text();
    };
    return {
      path: model.path,
      list: await (await fetch('http://fireside/v1/models')).text(),
      whole: await chat({}),
      streamed: await chat({ stream: true }),
      masked: await chat({
        response_format: { type: 'json_schema', json_schema: { name: 'city', schema: { enum: ['Paris', 'Rome'] } } },
      }),
    };
  });
}

test('in a fresh Vite project, in a real page: the pocket model answers, and three clients get what they ask for', async (context) => {
  const missing = missingPackage('openai') ?? (findChromium() ? undefined : 'no browser');
  if (missing) return context.skip(missing);
  const folder = await viteProject();
  symlinkSync((await ensurePocket()).path, join(folder, 'model.gguf'));
  const told = await inPage(folder, 'cpu', askPocket);
  expect(told).toMatchObject({
    path: 'cpu',
    list: expect.stringContaining('MiniMind2-Small') as string,
    whole: expect.stringMatching(/capital of France is Paris.*"cached_tokens"/) as string,
    streamed: expect.stringMatching(/"content":"aris"[^]*data: \[DONE\]/) as string,
    // What the processor cannot do is refused by name.
    masked: expect.stringContaining('needs a GPU') as string,
  });

  // The same page with an engine that does what each question says.
  const worker = readdirSync(join(folder, 'assets')).find((name) => /^worker[^/]*\.js$/.test(name));
  writeFileSync(join(folder, 'assets', worker!), doubleSource());
  const clients = await bundleClients();
  const failed = await inPage(folder, 'cpu', async (page) => {
    await page.evaluate(clients);
    return page.evaluate(async () => {
      const { runClients, fireside } = globalThis as Run;
      const { model, fetch } = await fireside;
      return runClients({ baseURL: 'http://fireside/v1', fetch, model: model.name });
    });
  });
  expect(failed).toEqual(Object.fromEntries(Object.keys(CASES).map((name) => [name, ''])));
});

test('the same on the GPU of that page, masks too', async (context) => {
  if (!inject('large')) return context.skip('only in the full run: Chromium’s software GPU takes its time');
  if (!findChromium()) return context.skip('no browser');
  const folder = await viteProject();
  symlinkSync((await ensurePocket()).path, join(folder, 'model.gguf'));
  expect(await inPage(folder, 'gpu', askPocket)).toMatchObject({
    path: 'gpu',
    list: expect.stringContaining('MiniMind2-Small') as string,
    whole: expect.stringMatching(/capital of France is Paris.*"cached_tokens"/) as string,
    streamed: expect.stringMatching(/"content":"aris"[^]*data: \[DONE\]/) as string,
    masked: expect.stringMatching(/"content":"\\"Paris\\"".*"finish_reason":"stop"/) as string,
  });
});
