/** Rows of the embedding come out as the file has them: exactly. */
import { describe, expect, test } from 'vitest';
import { setHeads } from '$gpu/formats/block_maps';
import { dequantise } from '$gpu/formats/dequantise';
import { embed } from '$gpu/ops';
import { MATRIX_TYPES } from '$gpu/quant';
import { poisoned, useBareGpu } from '../../support/gpu';
import { matrixOf, randomWeights } from '../../support/weights';

const bitsOf = (numbers: Float32Array): number[] => [...new Uint32Array(numbers.buffer)];

describe('embed', () => {
  const gpu = useBareGpu();
  const small = useBareGpu({ reduce: { limits: { maxStorageBufferBindingSize: 64 * 1024 } } });

  test.each(MATRIX_TYPES)('rows of %s are what the file says, bit for bit', async (type) => {
    // Two groups of 256; a row that ends inside a chunk, where a type can have one.
    const columns = type === 'F16' ? 172 : 512;
    const weights = randomWeights(type, 12, columns, 3);
    const ids = [11, 0, 7, 7];
    const x = poisoned(gpu(), [ids.length, columns], 'f32');
    const tokens = gpu().upload(Int32Array.from([5, ...ids]), [5]);
    const matrix = matrixOf(gpu(), weights);
    embed(gpu(), tokens, matrix, x, { first: 1 });
    const wanted = Float32Array.from(
      ids.flatMap((id) => [...weights.values.subarray(id * columns, (id + 1) * columns)]),
    );
    expect(bitsOf(await gpu().download(x))).toEqual(bitsOf(wanted));
    matrix.destroy();
  });

  test('scales so small that binary16 has fewer bits for them count like others', async () => {
    const weights = randomWeights('Q8_0', 2, 64, 9);
    setHeads('Q8_0', weights.bytes, (block) => (block + 1) * 2 ** -24);
    const matrix = matrixOf(gpu(), weights);
    const x = poisoned(gpu(), [2, 64], 'f32');
    embed(gpu(), gpu().upload(Int32Array.from([0, 1]), [2]), matrix, x);
    expect(bitsOf(await gpu().download(x))).toEqual(bitsOf(dequantise('Q8_0', weights.bytes)));
    matrix.destroy();
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
