/** Rows of the embedding come out as the file has them: exactly. */
import { describe, expect, test } from 'vitest';
import { embed } from '$gpu/ops';
import { poisoned, useBareGpu } from '../../support/gpu';

import { matrixOf, randomWeights } from '../../support/weights';

describe('embed', () => {
  const gpu = useBareGpu();
  const small = useBareGpu({ reduce: { limits: { maxStorageBufferBindingSize: 64 * 1024 } } });

  test.each([
    ['F32', 64],
    ['F16', 172],
    ['BF16', 64],
    ['Q8_0', 96],
    ['Q4_0', 96],
  ] as const)('rows of %s, K %i', async (type, columns) => {
    const { values, ...weights } = randomWeights(type, 40, columns, 3);
    const ids = [39, 0, 17, 17];
    const x = poisoned(gpu(), [ids.length, columns], 'f32');
    const tokens = gpu().upload(Int32Array.from([5, ...ids]), [5]);
    embed(gpu(), tokens, matrixOf(gpu(), { values, ...weights }), x, { first: 1 });
    const wanted = ids.flatMap((id) => [...values.subarray(id * columns, (id + 1) * columns)]);
    expect([...(await gpu().download(x))]).toEqual(wanted);
  });

  test('of a matrix in several parts', async () => {
    const weights = randomWeights('F16', 400, 128, 3);
    const matrix = matrixOf(small(), weights);
    expect(matrix.parts.length).toBeGreaterThan(1);
    const ids = [399, 0, 255, 256];
    const x = poisoned(small(), [ids.length, 128], 'f32');
    embed(small(), small().upload(Int32Array.from(ids), [4]), matrix, x);
    const wanted = ids.flatMap((id) => [...weights.values.subarray(id * 128, (id + 1) * 128)]);
    expect([...(await small().download(x))]).toEqual(wanted);
  });
});
