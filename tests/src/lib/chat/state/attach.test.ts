/** Files that are attached: what is a text, and what is refused. */
import { expect, test } from 'vitest';
import { attach, attachPasted, decode, measure } from '$lib/chat/state/attach';
import { Draft } from '$lib/chat/state/drafts.svelte';
import { MemoryConversations } from '$lib/conversations/memory';
import { MOST_FILES } from '$lib/conversations/records';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each<[string, Uint8Array, string | undefined]>([
  ['UTF-8', bytes('naïve 火'), 'naïve 火'],
  ['UTF-8 with its mark', Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), 'a'],
  ['UTF-16, little end first', Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x6b, 0x70), 'a火'],
  ['UTF-16, big end first', Uint8Array.of(0xfe, 0xff, 0, 0x61, 0x70, 0x6b), 'a火'],
  ['a table of an older Windows', Uint8Array.of(0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72), 'Müller'],
  ['nothing', new Uint8Array(), ''],
  ['tabs, lines, pages, and colours of a terminal', bytes('a\tb\r\n\f\u001b[1mc'), 'a\tb\r\n\f\u001b[1mc'],
  ['a PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d), undefined],
  ['a ZIP', Uint8Array.of(0x50, 0x4b, 3, 4, 0x14, 0), undefined],
])('%s', (_, given, text) => {
  expect(decode(given)).toBe(text);
});

function draft(): Draft {
  return new Draft(new MemoryConversations(), (error) => {
    throw error;
  });
}

test('texts are attached in their order, and each that is none is refused by its name', async () => {
  const made = draft();
  const refused: string[] = [];
  const files = [
    new File(['one\r\ntwo'], 'a.txt'),
    new File([Uint8Array.of(1, 2, 0)], 'b.bin'),
    new File(['x'.repeat(2 ** 20 + 1)], 'c.log'),
    new File(['# D'], 'd.md'),
  ];
  await attach(made, files, (error) => refused.push((error as Error).message));
  expect(made.files).toEqual([
    { name: 'a.txt', text: 'one\ntwo' },
    { name: 'd.md', text: '# D' },
  ]);
  expect(refused).toEqual([
    '«b.bin» is no text. The model reads texts: notes, code, tables as CSV.',
    '«c.log» has 1 MB. A text may have 1 MB.',
  ]);
});

test('no more files than an export may have', async () => {
  const made = draft();
  const refused: unknown[] = [];
  const files = Array.from({ length: MOST_FILES + 2 }, (_, i) => new File(['x'], `${i}.txt`));
  await attach(made, files, (error) => refused.push(error));
  expect(made.files).toHaveLength(MOST_FILES);
  expect(refused).toHaveLength(2);
});

test('what was pasted can go into the message after all', () => {
  const made = draft();
  made.write('and then');
  const undo = attachPasted(made, 'long words');
  expect(made.files).toEqual([{ name: 'Pasted text', text: 'long words' }]);
  undo();
  expect(made.files).toEqual([]);
  expect(made.text).toBe('long words\n\nand then');
});

test('what is attached is counted as the model would read it, and a late count is not taken', async () => {
  const made = draft();
  made.attach([{ name: 'a', text: 'b' }]);
  const asked: unknown[] = [];
  const count = async (ask: unknown): Promise<number> => asked.push(ask) * 7;
  await measure(made, Promise.resolve({ count }));
  expect(asked).toEqual([{ messages: [{ role: 'user', content: 'a\n```\nb\n```' }] }]);
  expect(made.tokens).toBe(7);
  const late = measure(made, Promise.resolve({ count }));
  made.attach([]);
  await late;
  expect(made.tokens).toBe(0);
});

test('a draft comes back with its files, and an answer that was taken back brings them too', async () => {
  const store = new MemoryConversations();
  const one = new Draft(store, (error) => {
    throw error;
  });
  one.write('words');
  one.attach([{ name: 'a', text: 'b' }]);
  await one.turnTo('other');
  expect([one.text, one.files]).toEqual(['', []]);
  await one.turnTo(undefined);
  expect([one.text, one.files]).toEqual(['words', [{ name: 'a', text: 'b' }]]);
  one.clear();
  one.add('again', [{ name: 'c', text: 'd' }]);
  expect([one.text, one.files]).toEqual(['again', [{ name: 'c', text: 'd' }]]);
});
