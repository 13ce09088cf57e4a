/** The worker's questions for masks, and the page's answers. */
import { expect, test } from 'vitest';
import { MaskLine } from '$lib/engine/mask-line';
import type { MaskQuestion } from '$lib/engine/protocol';

test('every generation gets the answer to its own question', async () => {
  const sent: MaskQuestion[] = [];
  const line = new MaskLine((question) => sent.push(question));
  const [first, second] = [line.hook(1)([7]), line.hook(2)([])];
  expect(sent).toEqual([
    { id: 1, type: 'mask', drawn: [7] },
    { id: 2, type: 'mask', drawn: [] },
  ]);
  line.take({ maskFor: 2, mask: undefined });
  line.take({ maskFor: 1, mask: new Uint32Array([3]) });
  expect(await first).toEqual(new Uint32Array([3]));
  expect(await second).toBeUndefined();
});

test('a page that fails to answer fails the generation; a late answer is let go', async () => {
  const line = new MaskLine(() => {});
  const asked = line.hook(1)([]);
  line.take({ maskFor: 1, failed: 'the grammar is broken' });
  await expect(asked).rejects.toThrow('the grammar is broken');
  line.take({ maskFor: 1, mask: new Uint32Array(1) });
  void line.hook(3)([]);
  line.forget(3);
  line.take({ maskFor: 3, failed: 'too late for anybody' });
});
