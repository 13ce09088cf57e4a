/** What the engine is asked: by the page, by the address, and by the conversation. */
import { beforeAll, expect, test, vi } from 'vitest';
import { effective, readAddress, USUAL_MAX_TOKENS, USUAL_SAMPLING } from '$lib/chat/effective';

beforeAll(() => void vi.stubGlobal('document', { baseURI: 'https://page/' }));

test('an address asks for a path, threads, a context, a temperature', () => {
  expect(readAddress('?model=a%2Fb&path=cpu&threads=2&context=256&temperature=0')).toEqual({
    model: 'stored:a/b',
    path: 'cpu',
    threads: 2,
    context: 256,
    temperature: 0,
  });
});

test.each([
  '',
  '?path=fast&threads=0&temperature=hot&context=none',
  '?threads=1000&temperature=-1&context=1',
  '?threads=&temperature=&context=',
])('what makes no sense is left out: «%s»', (search) => {
  expect(readAddress(search)).toEqual({});
});

test('a conversation comes before the address, and that before the page', () => {
  expect(effective('https://x/m.gguf', {}, {})).toEqual({
    model: 'https://x/m.gguf',
    load: { url: 'https://x/m.gguf', path: 'auto' },
    system: '',
    sampling: USUAL_SAMPLING,
    maxTokens: USUAL_MAX_TOKENS,
  });
  const address = { path: 'cpu', threads: 1, temperature: 0 } as const;
  expect(effective('https://x/m.gguf', address, {})).toMatchObject({
    load: { path: 'cpu', threads: 1 },
    sampling: { temperature: 0, topP: USUAL_SAMPLING.topP },
  });
  const settings = {
    model: 'stored:n',
    path: 'gpu',
    system: 'Be brief.',
    sampling: { temperature: 1, topK: 5 },
    maxTokens: 9,
  } as const;
  expect(effective('https://x/m.gguf', address, settings)).toMatchObject({
    load: { stored: 'n', path: 'gpu', threads: 1, quant: 'auto' },
    system: 'Be brief.',
    sampling: { temperature: 1, topK: 5 },
    maxTokens: 9,
  });
});
