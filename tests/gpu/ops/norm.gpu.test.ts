/** RMSNorm against float64, for rows shorter and longer than a workgroup. */
import { describe, expect, test } from 'vitest';
import { rmsNorm } from '$gpu/ops';
import { poisoned, useBareGpu } from '../../support/gpu';
import { expectNear, normReference, numbers } from '../../support/ops';

describe('rmsNorm', () => {
  const gpu = useBareGpu();
  test.each([
    [1, 4],
    [3, 64],
    [2, 2052],
    [70000, 4],
  ])('%i rows of %i', async (rows, columns) => {
    const x = numbers(rows * columns, rows);
    const gain = numbers(columns, columns);
    const y = poisoned(gpu(), [rows, columns], 'f32');
    rmsNorm(gpu(), gpu().upload(x, [rows, columns]), gpu().upload(gain, [columns]), y, { eps: 1e-5 });
    expectNear(await gpu().download(y), normReference(x, gain, 1e-5), 1e-5);
  });

  test('later rows alone', async () => {
    const [x, gain] = [numbers(5 * 12, 1), numbers(12, 2)];
    const y = poisoned(gpu(), [2, 12], 'f32');
    const input = gpu().upload(x, [5, 12]);
    rmsNorm(gpu(), input, gpu().upload(gain, [12]), y, { eps: 1e-5, firstRow: 3 });
    expectNear(await gpu().download(y), normReference(x.slice(36), gain, 1e-5), 1e-5);
    expect(() => rmsNorm(gpu(), input, gain12(), y, { eps: 1e-5, firstRow: 4 })).toThrow(/from 4 on/);
  });
  const gain12 = () => gpu().empty([12], 'f32');

  test('a wrong gain is refused', () => {
    const x = gpu().empty([2, 64], 'f32');
    expect(() => rmsNorm(gpu(), x, gpu().empty([60], 'f32'), x, { eps: 1e-5 })).toThrow(/gain/);
  });
});
