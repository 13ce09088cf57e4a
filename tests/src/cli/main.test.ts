/** The command line program as people start it: the one bundled file, under plain Node. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildCli } from '../../../scripts/builds.js';
import { findEnvironments, vulkanEnvironment } from '../../../scripts/environments.js';
import { root } from '../../../scripts/packages.js';

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
