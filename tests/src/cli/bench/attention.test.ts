/** The attention bench: what it times, what it derives from the times, and the run as people start it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildCli } from '../../../../scripts/builds.js';
import { findEnvironments, vulkanEnvironment } from '../../../../scripts/environments.js';
import { root } from '../../../../scripts/packages.js';
import { cacheBytesOf, casesOf, dimsOf, flopsOf, inputsOf, nameOf, type Case } from '$lib/engine/bench/attention/cases';
import { Check, complaintOf, sampledRows } from '$lib/engine/bench/attention/check';
import { rowsOf, type AttentionFigures, type Measured } from '../../../../src/cli/bench/attention/rows';
import { settingsFrom } from '../../../../src/cli/bench/attention/settings';
import { formatFigures } from '../../../../src/cli/bench/attention/table';
import { summarize } from '$lib/engine/bench/statistics';
import { attentionReference } from '$gpu/attention';

const prefill: Case = { schedule: 'prefill', dtype: 'f32', headDim: 64, keys: 4 };
const decode: Case = { schedule: 'decode', dtype: 'f16', headDim: 128, keys: 1000 };

describe('cases', () => {
  test('work is counted by the pairs that the causal mask lets through', () => {
    expect(flopsOf(prefill)).toBe(4 * 8 * 64 * (1 + 2 + 3 + 4));
    expect(flopsOf(decode)).toBe(4 * 8 * 128 * 1000);
    expect(cacheBytesOf(decode)).toBe(2 * 1000 * 2 * 128 * 2);
  });

  test('all sizes of a block follow one another, small ones first', () => {
    const cases = casesOf({ schedules: ['decode'], dtypes: ['f32'], headDims: [64, 128], sizes: [512, 256] });
    expect(cases.map(nameOf)).toEqual([
      'decode, f32, D 64, keys 256',
      'decode, f32, D 64, keys 512',
      'decode, f32, D 128, keys 256',
      'decode, f32, D 128, keys 512',
    ]);
  });

  test('by default the sizes of the plan', () => {
    const cases = casesOf({ schedules: ['prefill', 'decode'], dtypes: ['f32', 'f16'], headDims: [64, 128] });
    expect(cases).toHaveLength(4 * (6 + 8));
    expect(Math.max(...cases.map(({ keys }) => keys))).toBe(32768);
  });

  test('inputs are the same in every process, and exact in f16', () => {
    const { q, k, v } = inputsOf(prefill);
    expect([q.length, k.length, v.length]).toEqual([4 * 8 * 64, 4 * 2 * 64, 4 * 2 * 64]);
    expect(inputsOf(prefill)).toEqual({ q, k, v });
    expect(q.every((x) => Math.abs(x) <= 1 && Number.isInteger(x * 64))).toBe(true);
    expect(k).not.toEqual(v);
  });
});

describe('the check before the clock', () => {
  const inputs = inputsOf(prefill);
  const right = attentionReference(inputs.q, inputs.k, inputs.v, dimsOf(prefill), { causal: true }).out;

  test('the ends are among the rows, once each', () => {
    expect(sampledRows(1)).toEqual([0]);
    expect(sampledRows(3)).toEqual([0, 1, 2]);
    expect(sampledRows(4096)).toEqual([0, 1, 378, 1402, 2426, 3450, 4094, 4095]);
  });

  test('a right output passes, a wrong element does not, nor does one that was never written', () => {
    const check = new Check(prefill, inputs);
    expect(complaintOf(check.errorOf(right), 1e-9)).toBeUndefined();
    const wrong = Float64Array.from(right);
    wrong[700]! += 0.01;
    expect(complaintOf(check.errorOf(wrong), 5e-5)).toBe('wrong: off by 1.0e-2, at most 0.00005 would do');
    wrong[700] = NaN;
    expect(complaintOf(check.errorOf(wrong), 5e-5)).toBe('wrong: not all of its output are numbers');
    expect(() => check.errorOf(right.subarray(1))).toThrow(RangeError);
  });
});

const flash: Measured = {
  kernel: 'tile',
  role: 'flash',
  ms: summarize([2, 2, 2]),
  wallMs: summarize([3, 3, 3]),
  clock: 'gpu',
  error: 0,
  extraBytes: 1024,
};
const standard: Measured = { ...flash, kernel: 'standardAttention', role: 'standard', ms: summarize([8]) };
const kernels: Measured = {
  kernel: 'ONNX Runtime, kernels',
  role: 'onnx kernels',
  ms: summarize([6]),
  clock: 'gpu',
  error: 0,
};
const operator: Measured = {
  ...kernels,
  kernel: 'ONNX Runtime, operator',
  role: 'onnx operator',
  ms: summarize([12]),
  clock: 'wall',
};
const product = { dtype: 'f32', name: 'tiled', ms: summarize([1]), gflops: 100 } as const;

describe('rows', () => {
  test('each comparison is by a clock that both sides were timed by', () => {
    const [row] = rowsOf(prefill, [flash, standard, kernels, operator], product);
    expect(row).toMatchObject({
      againstStandard: { value: 4 },
      againstOnnxKernels: { value: 3 },
      againstOnnxOperator: { value: 4 },
    });
    const [byWall] = rowsOf(prefill, [{ ...flash, clock: 'wall' }, kernels], product);
    expect(byWall).not.toHaveProperty('againstOnnxKernels');
  });

  test('prefill is measured by our best product, decode by the bytes it reads', () => {
    const gflops = flopsOf(prefill) / 2e6;
    expect(rowsOf(prefill, [flash], product)[0]).toMatchObject({ gflops, ofProduct: gflops / 100 });
    const [row] = rowsOf(decode, [flash], product);
    expect(row!.gigabytesPerSecond).toBeCloseTo(cacheBytesOf(decode) / 2e6, 12);
    expect(row).not.toHaveProperty('ofProduct');
  });
});

describe('the table', () => {
  const figures: AttentionFigures = {
    adapter: {} as AttentionFigures['adapter'],
    clock: 'gpu',
    clockReason: 'because',
    products: [product],
    rows: rowsOf(prefill, [flash, standard, { ...kernels, wrong: true, error: 0.02 }, operator], product),
    missing: [{ what: 'prefill, f32, D 64, S 8192: standardAttention', why: '5 runs of some 60 s exceed the budget' }],
    onnxRuntime: '1.30.0',
    seconds: 12,
  };
  const lines = formatFigures(figures).split('\n');

  test('names the chosen kernel, the size once, and each comparison with its noise', () => {
    const at = lines.indexOf('prefill, f32, D 64');
    expect(lines[at + 2]).toMatch(/^4 {2}\* tile +2\.00 .* 1\.0 KiB +4\.00x ±0\.0% +3\.00x ±0\.0% +4\.00x ±0\.0%$/);
    expect(lines[at + 3]).toMatch(/^ {5}standardAttention/);
    expect(lines[at + 4]).toMatch(/^ {3}! ONNX Runtime, kernels/);
  });

  test('ends with what was wrong and what was left out, and says so where nothing was', () => {
    expect(lines.slice(-3)).toEqual([
      'Wrong: ONNX Runtime in prefill, f32, D 64: is off by up to 2.0e-2.',
      'Left out:',
      '  prefill, f32, D 64, S 8192: standardAttention: 5 runs of some 60 s exceed the budget',
    ]);
    expect(formatFigures({ ...figures, missing: [] })).toMatch(/Nothing was left out\.$/);
    const missing = ['one', 'two', 'three'].map((what, n) => ({ what, why: n < 2 ? 'slow' : 'wrong' }));
    expect(formatFigures({ ...figures, missing })).toMatch(/Left out:\n {2}one; two: slow\n {2}three: wrong$/);
  });
});

describe('options', () => {
  test('the whole plan without any, less of it with --quick, and each by name', () => {
    expect(settingsFrom([])).toMatchObject({
      headDims: [64, 128],
      sizes: undefined,
      chosenAlone: false,
      budget: 10_000,
    });
    expect(settingsFrom(['--quick'])).toMatchObject({ headDims: [64], chosenAlone: true, budget: 3000 });
    const some = settingsFrom([
      '--quick',
      '--sizes',
      '512',
      '--variants',
      'tile 32x32/4',
      '--budget',
      '60',
      '--no-peers',
    ]);
    expect(some).toMatchObject({ sizes: [512], chosenAlone: false, budget: 60_000, peers: false });
    expect(some.variants.map(({ name }) => name)).toEqual(['tile 32x32/4']);
  });

  test('what it does not know it says', () => {
    expect(() => settingsFrom(['--dtypes', 'f64'])).toThrow('--dtypes: «f64» is none of f32, f16');
    expect(() => settingsFrom(['--sizes', '256,-1'])).toThrow('--sizes: «-1» is no positive whole number');
    expect(() => settingsFrom(['--variants', 'fast'])).toThrow('there is no variant «fast»');
    expect(() => settingsFrom(['--budget', 'much'])).toThrow('--budget: «much» is no number of seconds');
  });
});

test('the built program times a size, and writes the table and JSON', (context) => {
  const driver = findEnvironments().lavapipe ?? findEnvironments().swiftshader;
  if (!driver) return context.skip('no software Vulkan driver');
  expect(buildCli()).toBe(0);
  const folder = mkdtempSync(join(tmpdir(), 'fireside-bench-'));
  const json = join(folder, 'figures.json');
  const args = ['--quick', '--sizes', '256', '--schedules', 'decode', '--dtypes', 'f32', '--no-peers', '--json', json];
  const program = spawnSync(process.execPath, [join(root, 'dist', 'cli.js'), 'bench', 'attention', ...args], {
    env: { ...process.env, ...vulkanEnvironment(driver) },
    encoding: 'utf8',
  });
  expect(program.status, program.stderr).toBe(0);
  expect(program.stdout).toMatch(/^ *256 {2}\* decode 4 /m);
  expect(program.stdout).toMatch(/ONNX Runtime: not run: not asked for\n$/);
  const { figures } = JSON.parse(readFileSync(json, 'utf8')) as { figures: AttentionFigures };
  expect(figures.rows.map(({ role }) => role)).toEqual(['flash', 'standard']);
  expect(figures.rows[0]!.ms.median).toBeGreaterThan(0);
  rmSync(folder, { recursive: true });
});
