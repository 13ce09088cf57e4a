/** Block tables: keys and values in pages `[P, pageSize, Hkv, D]` anywhere in a pool. */
import type { Gpu } from '../device';
import { checkIndices } from './check';
import { onGpu } from './sequences';
import type { Indices } from './options';
import type { Paging } from './problem';
import { ArgumentError, Tensor, describe } from '../device';

/** Checks the table against the pool `[P, pageSize, ...]`; `batch` is how many sequences it has rows for. */
export function pagingOf(gpu: Gpu, table: Indices, pool: Tensor, batch: number, longest: number): Paging {
  const [pages, pageSize] = pool.shape as [number, number];
  if (pages === 0 || pageSize === 0) throw new ArgumentError('k', describe(pool), 'a pool of at least one page');
  const size = table instanceof Tensor ? table.size : table.length;
  if (batch > 0 && (size === 0 || size % batch !== 0)) {
    throw new ArgumentError('blockTable', `${size} entries`, `[B, pages of a sequence] with B = ${batch}`);
  }
  const row = batch > 0 ? size / batch : 0;
  if (row * pageSize < longest) {
    throw new ArgumentError('blockTable', `${row} pages of ${pageSize} rows a sequence`, `room for ${longest} keys`);
  }
  const shape = table instanceof Tensor ? [batch, row] : [size];
  checkIndices('blockTable', table, shape, '[B, pages of a sequence]', { low: 0, high: pages - 1 });
  return { table: onGpu(gpu, table)!, row, pages, pageSize };
}
