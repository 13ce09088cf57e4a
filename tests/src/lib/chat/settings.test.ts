/** What an address may ask of the page. */
import { expect, test } from 'vitest';
import { readSettings } from '$lib/chat/settings';

test('a model of the store', () => {
  expect(readSettings('?model=me%2Fsmall').stored).toBe('me/small');
});

test('a path, threads, a temperature', () => {
  expect(readSettings('?path=cpu&threads=2&temperature=0')).toMatchObject({
    path: 'cpu',
    threads: 2,
    sampling: { temperature: 0 },
  });
});

test.each(['', '?path=fast&threads=0&temperature=hot', '?threads=1000&temperature=-1', '?threads=&temperature='])(
  'what makes no sense is left out: «%s»',
  (search) => {
    const settings = readSettings(search);
    expect(settings.path).toBe('auto');
    expect(settings.threads).toBeUndefined();
    expect(settings.sampling.temperature).toBeGreaterThan(0);
  },
);
