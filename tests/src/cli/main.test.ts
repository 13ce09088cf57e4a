/** The command line program as people start it: the one bundled file, under plain Node. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { buildCli } from '../../../scripts/builds.js';
import { findEnvironments, vulkanEnvironment } from '../../../scripts/environments.js';
import { root } from '../../../scripts/packages.js';
import { ensurePocket } from '../../../scripts/pocket.js';
import { diskContent } from '../../hub/content.js';
import { startHub } from '../../hub/hub.js';

const MIB = 2 ** 20;

beforeAll(() => expect(buildCli()).toBe(0));

function fireside(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { status: number | null; out: string; err: string } {
  const program = spawnSync(process.execPath, [join(root, 'dist', 'cli.js'), ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return { status: program.status, out: program.stdout, err: program.stderr };
}

test('without a command it lists them all', () => {
  expect(fireside([])).toMatchObject({ status: 2, out: expect.stringMatching(/^ {2}inspect {2}/m) as string });
  expect(fireside(['--help'])).toMatchObject({ status: 0, err: '' });
});

test('what it does not understand it says, with the usage', () => {
  for (const [args, complaint] of [
    [['fly'], 'there is no command «fly»'],
    [['toString'], 'there is no command «toString»'],
    [['inspect', '--fly'], "Unknown option '--fly'"],
    [['generate', '--model', 'm', '--fly'], "Unknown option '--fly'"],
    [['generate', '--prompt', 'Hi'], '--model is missing'],
    [['score', '--model', 'm'], '--ids is missing'],
    [['score', '--model', 'm', '--ids', '1', '--top', '0'], '--top wants a whole number from 1'],
  ] as const) {
    const { status, err } = fireside(args);
    expect(status, args.join(' ')).toBe(2);
    expect(err).toContain(complaint);
    expect(err).toMatch(/^fireside \w+/m);
  }
});

test('without a Vulkan driver it says what to do, in words and without a stack', (context) => {
  if (process.platform !== 'linux') context.skip('only Linux lets a test take the driver away');
  const { status, err } = fireside(['inspect'], vulkanEnvironment('/nowhere.json'));
  expect(status).toBe(1);
  expect(err).toContain('Vulkan driver');
  // Dawn has its own to say before it; our part is one line.
  expect(err).not.toMatch(/cli\.js:\d/);
});

test('inspect prints the report, for people and for programs', (context) => {
  const { swiftshader, lavapipe } = findEnvironments();
  const driver = lavapipe ?? swiftshader;
  if (!driver) return context.skip('no software Vulkan driver');
  expect(fireside(['inspect', '--bare'], vulkanEnvironment(driver)).out).toMatch(/^workgroup +\d+ invocations/m);
  const { out } = fireside(['inspect', '--bare', '--json'], vulkanEnvironment(driver));
  const report = JSON.parse(out) as Record<string, unknown>;
  expect(report).toMatchObject({ adapter: { isFallback: true }, errors: [] });
});

test('a model that is not there is told in a line', () => {
  const { status, err } = fireside(['generate', '--model', '/nowhere/model.gguf', '--prompt', 'Hi']);
  expect(status).toBe(1);
  expect(err).toBe('fireside: /nowhere/model.gguf: there is no such file or folder.\n');
});

/** «<|im_start|>assistant\n» after «What is the capital of France?», as the pocket model's template has it. */
const FRANCE = [
  1, 85, 736, 201, 59, 292, 389, 260, 3836, 1861, 501, 2, 201, 1, 320, 275, 201, 3526, 370, 276, 3167, 2777, 303, 6091,
  697, 33, 2, 201, 1, 1078, 538, 501, 201,
];

test('a question and its ids have the same answer, which is right, up to a stop string', async (context) => {
  const { lavapipe } = findEnvironments();
  if (!lavapipe) return context.skip('no lavapipe');
  const { path } = await ensurePocket();
  const run = (...args: string[]): unknown => {
    const { status, out, err } = fireside(
      ['generate', '--model', path, ...args, '--json'],
      vulkanEnvironment(lavapipe),
    );
    expect(status, err).toBe(0);
    return JSON.parse(out);
  };
  const chat = run('--chat', '--prompt', 'What is the capital of France?', '--stop', ' Paris');
  expect(chat).toMatchObject({ text: 'The capital of France is', reason: 'stop' });
  const ids = run('--ids', FRANCE.join(), '--max-tokens', '3') as { ids: number[]; logprobs: number[] };
  expect(ids).toMatchObject({
    text: 'The capital',
    reason: 'length',
    timings: { tokens: 3, prefill: { tokens: 33 } },
  });
  expect(ids.logprobs).toHaveLength(ids.ids.length);
  expect(ids.logprobs.every((logprob) => logprob < 0 && logprob > -1)).toBe(true);
});

test('Ctrl+C ends an answer with what there is', async (context) => {
  const { lavapipe } = findEnvironments();
  if (!lavapipe) return context.skip('no lavapipe');
  if (process.platform === 'win32') return context.skip('Windows has no signals');
  const { path } = await ensurePocket();
  const args = ['generate', '--model', path, '--chat', '--prompt', 'Write a long story about a fox.'];
  const program = spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...args], {
    env: { ...process.env, ...vulkanEnvironment(lavapipe) },
  });
  let out = '';
  program.stdout.on('data', (part: Buffer) => (out += part.toString()));
  await once(program.stdout, 'data');
  program.kill('SIGINT');
  expect(await once(program, 'close')).toEqual([130, null]);
  expect(out).toMatch(/\w.*\n$/s);
});

test('a model is downloaded by its name, survives a kill in the middle, and answers; then it needs no hub', async (context) => {
  const { lavapipe } = findEnvironments();
  if (!lavapipe) return context.skip('no lavapipe');
  const file = 'pocket-q8_0.gguf';
  const { path, bytes } = await ensurePocket();
  const hub = await startHub({
    repos: { 'me/pocket': { files: { [file]: diskContent(path) } } },
    rate: 4 * MIB,
  });
  const { url } = hub;
  const cache = mkdtempSync(join(tmpdir(), 'fireside-cache-'));
  const ask = ['generate', '--model', 'me/pocket', '--ids', FRANCE.join(), '--max-tokens', '3', '--json'];
  const start = () =>
    spawn(process.execPath, [join(root, 'dist', 'cli.js'), ...ask, '--hub', url, '--cache', cache], {
      env: { ...process.env, ...vulkanEnvironment(lavapipe) },
    });
  const answer = async (): Promise<unknown> => {
    const program = start();
    let [out, err] = ['', ''];
    program.stdout.on('data', (part: Buffer) => (out += part.toString()));
    program.stderr.on('data', (part: Buffer) => (err += part.toString()));
    const [status] = (await once(program, 'close')) as [number | null];
    expect(status, err).toBe(0);
    return JSON.parse(out);
  };
  try {
    const killed = start();
    await vi.waitUntil(() => keptIn(cache) > 4 * MIB, { timeout: 60_000 });
    killed.kill('SIGKILL');
    await once(killed, 'close');
    const kept = keptIn(cache);
    hub.log.clear();
    hub.rate = undefined;
    expect(await answer()).toMatchObject({ text: 'The capital', reason: 'length' });
    expect(hub.log.sent(file)).toBe(bytes - kept);
    hub.close();
    expect(await answer()).toMatchObject({ text: 'The capital' });
  } finally {
    hub.close();
    rmSync(cache, { recursive: true });
  }
});

/** Bytes of the only model in a cache folder that are written down, by its log. */
function keptIn(cache: string): number {
  const [key] = readdirSync(cache).filter((name) => name !== 'locks');
  const log = key === undefined ? undefined : join(cache, key, '0.log');
  if (log === undefined || !existsSync(log)) return 0;
  const parts = readFileSync(log, 'utf8').matchAll(/"part":\[\d+,\d+,(\d+)\]/g);
  return [...parts].reduce((sum, [, length]) => sum + Number(length), 0);
}
