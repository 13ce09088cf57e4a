/** Where a model stands, and what it is called by; files that come from outside. */
import { expect, test } from 'vitest';
import { shownName, storedId, storedName } from '$lib/chat/models';
import { sharedText, withoutShared } from '$lib/chat/state/incoming';
import { kindOf } from '$lib/models/files';
import { isWhole, standing } from '$lib/models/standing';
import { rowsFor } from '$lib/models/state/catalogue.svelte';
import type { ModelState, StoreState } from '$lib/store';

const model: ModelState = {
  id: 'a/b',
  name: 'b',
  origin: { kind: 'hub', address: 'a/b' },
  status: 'whole',
  files: [],
  bytes: 1,
  done: 1,
  addedAt: 1,
  here: false,
};
const state: StoreState = {
  ready: true,
  models: [model],
  space: undefined,
  stored: 1,
  persisted: undefined,
  evicted: [],
};

test('a model is whole while it is read back, and not while it is checked for the first time', () => {
  expect(isWhole({ ...model, status: 'checking' })).toBe(true);
  const { id, name, origin, files, bytes, done, here } = model;
  const coming: ModelState = { id, name, origin, files, bytes, done, here, status: 'checking' };
  expect(isWhole(coming)).toBe(false);
  expect(standing({ ...state, models: [coming] }, 'a/b')).toBe('coming');
});

test('nobody knows before the store was read, and where it has trouble the engine finds out', () => {
  expect(standing(undefined, 'a/b')).toBe('unknown');
  expect(standing({ ...state, ready: false }, 'a/b')).toBe('unknown');
  expect(standing(state, 'a/b')).toBe('whole');
  expect(standing(state, 'a/c')).toBe('gone');
  expect(standing({ ...state, trouble: { problem: 'outdated', message: '' } }, 'a/c')).toBe('whole');
});

test.each([
  ['stored:Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf', 'Qwen3-0.6B-Q8_0'],
  ['stored:http://localhost:5180/me/small', 'small'],
  ['stored:local:my model:12-99', 'my model'],
  ['/pocket/minimind2-small-q8_0.gguf', 'minimind2-small-q8_0'],
])('%s is called %s', (name, shown) => {
  expect(shownName(name)).toBe(shown);
});

test('a name of the store leads back to its id', () => {
  expect(storedId(storedName('a/b'))).toBe('a/b');
  expect(storedId('/pocket/x.gguf')).toBeUndefined();
});

test.each([
  [['a.gguf'], 'model'],
  [['config.json', 'tokenizer.json', 'model.safetensors'], 'model'],
  [['chat.json', 'CHAT.JSON'], 'conversations'],
  [['picture.png'], 'unknown'],
  [['notes.txt', 'chat.json'], 'unknown'],
  [[], 'unknown'],
])('%j: %s', (names, kind) => {
  expect(kindOf(names.map((name) => ({ name })))).toBe(kind);
});

test.each([
  ['?title=A&text=B&url=https://c/', 'A\n\nB\n\nhttps://c/'],
  ['?title=A&text=Look at https://c/&url=https://c/', 'A\n\nLook at https://c/'],
  ['?title=Same&text=Same', 'Same'],
  ['?text=%20%20', undefined],
  ['?model=x', undefined],
])('%s is shared as %j', (search, text) => {
  expect(sharedText(search)).toBe(text);
});

test('what was shared leaves the address, and nothing else does', () => {
  const at = { pathname: '/app/', search: '?text=x&threads=1&url=y', hash: '#chat=1' } as Location;
  expect(withoutShared(at)).toBe('/app/?threads=1#chat=1');
});

test('the recommended model stands first, and what does not run last', () => {
  const rows = rowsFor({ memory: 2 ** 30, processor: true });
  expect(rows[0]?.recommended).toBe(true);
  expect(rows[0]?.verdict.runs).toBe('well');
  expect(rows.filter(({ recommended }) => recommended)).toHaveLength(1);
  const order = rows.map(({ verdict }) => ['well', 'slowly', 'no'].indexOf(verdict.runs));
  expect(order).toEqual([...order].sort());
});
