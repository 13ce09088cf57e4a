import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isHello, mismatch, readToPage } from '$lib/widget/element/read';
import { mayRead, mayShow } from '$lib/widget/frame/deployer';
import { readConnect, readToFrame } from '$lib/widget/frame/schemas';
import { isLook, PROTOCOL, type WidgetSettings } from '$lib/widget/protocol';

const settings: WidgetSettings = {
  instance: '1',
  mode: 'inline',
  model: 'pocket',
  system: '',
  heading: '',
  greeting: '',
  suggestions: ['One'],
  placeholder: '',
  language: '',
  direction: 'ltr',
  theme: 'auto',
  look: {},
  storage: 'session',
  shareMessages: false,
  hasContext: false,
  tools: [],
};
const connect = (changes: object = {}): unknown => ({
  fireside: 'connect',
  protocol: PROTOCOL,
  settings: { ...settings, ...changes },
});

// Node has no styles: every value is one, so that what is refused is refused by us.
beforeAll(() => void Object.assign(globalThis, { CSS: { supports: () => true } }));
afterAll(() => void Reflect.deleteProperty(globalThis, 'CSS'));

describe('the frame', () => {
  test('takes settings that are whole', () => {
    expect(readConnect(connect())).toEqual(connect());
    const tools = [{ name: 'find', description: 'Finds.', parameters: { type: 'object' } }];
    expect(readConnect(connect({ src: 'https://a.example', tools }))?.settings.tools).toEqual(tools);
  });

  test.each([
    ['another version', { fireside: 'connect', protocol: PROTOCOL + 1, settings }],
    ['a field more', connect({ admin: true })],
    ['a field less', { fireside: 'connect', protocol: PROTOCOL, settings: { ...settings, model: undefined } }],
    ['no model', connect({ model: '' })],
    ['a word that is none', connect({ storage: 'forever' })],
    ['too many questions', connect({ suggestions: Array<string>(9).fill('x') })],
    ['a text that is none', connect({ system: { toString: () => 'x' } })],
    ['a text that is too long', connect({ system: 'x'.repeat(100_001) })],
    ['a tool with a bad name', connect({ tools: [{ name: 'a b', description: '', parameters: {} }] })],
    [
      'a schema that is too long',
      connect({ tools: [{ name: 'a', description: '', parameters: { x: 'x'.repeat(30_000) } }] }),
    ],
    ['a look that is none', connect({ look: { accent: 'url(https://leak.example)' } })],
    ['a look nobody knows', connect({ look: { '--ember': 'red' } })],
    ['nothing', null],
  ])('refuses %s', (_, data) => {
    expect(readConnect(data)).toBeUndefined();
  });

  test('takes what a page may ask for, and nothing else', () => {
    expect(readToFrame({ type: 'send', text: 'Hi' })).toEqual({ type: 'send', text: 'Hi' });
    expect(readToFrame({ type: 'answer', id: 3, text: '', failed: true })).toBeDefined();
    for (const data of [
      { type: 'approve' },
      { type: 'send' },
      { type: 'stop', text: 'x' },
      'stop',
      { type: 'answer', id: 0.5, text: '', failed: false },
    ])
      expect(readToFrame(data)).toBeUndefined();
  });
});

describe('the element', () => {
  test('knows a hello, and tells which side is older', () => {
    expect(isHello({ fireside: 'hello', protocol: 1 })).toBe(true);
    expect([null, 'hello', {}, { fireside: 'hello' }, { fireside: 'connect', protocol: 1 }].some(isHello)).toBe(false);
    expect(mismatch({ fireside: 'hello', protocol: PROTOCOL })).toBe('');
    expect(mismatch({ fireside: 'hello', protocol: PROTOCOL + 1 })).toContain('update the script');
  });

  test('takes what a frame may say, and nothing else', () => {
    const good = [
      { type: 'close' },
      { type: 'context', id: 1 },
      { type: 'call', id: 1, name: 'find', args: '{}' },
      { type: 'ready', detail: { model: 'M', path: 'server', context: 4096, tools: true } },
      { type: 'progress', detail: { phase: 'open', done: 0, total: 0 } },
      { type: 'message', detail: { role: 'user' } },
      { type: 'error', detail: { code: 'x', message: 'y' } },
    ];
    expect(good.map(readToPage)).toEqual(good);
    const bad = [
      null,
      'close',
      { type: 'call', id: 1, name: 'a b', args: '' },
      { type: 'call', id: -1, name: 'a', args: '' },
      { type: 'call', id: 1, name: 'a', args: {} },
      { type: 'ready', detail: { model: 'M', path: 'moon', context: 1, tools: true } },
      { type: 'message', detail: { role: 'system' } },
      { type: 'message', detail: { role: 'user', text: 7 } },
      { type: 'error', detail: 'x' },
      { type: 'navigate', detail: {} },
    ];
    expect(bad.map(readToPage).filter(Boolean)).toEqual([]);
  });
});

test('looks are plain values of their kind', () => {
  for (const value of ['red', 'oklch(60% 0.2 30 / 0.5)', 'light-dark(#fff, #000)'])
    expect(isLook('accent', value)).toBe(true);
  for (const value of [
    'url(x)',
    'URL (x)',
    'var(--x)',
    'red; } *{',
    'env(x)',
    'attr(x)',
    '\\75rl(x)',
    'red !important',
  ])
    expect(isLook('accent', value)).toBe(false);
  expect(isLook('radius', '12px')).toBe(true);
  expect(isLook('radius', 'calc(1px + 1vw)')).toBe(false);
  expect(isLook('constructor', 'red')).toBe(false);
});

test('who may show it and who may read along is what the file names, and nobody by accident', () => {
  const deployer = { hosts: ['https://shop.example'], shareMessages: ['https://shop.example'] };
  expect(mayShow(deployer, 'https://shop.example', 'https://chat.example')).toBe(true);
  expect(mayShow(deployer, 'https://evil.example', 'https://chat.example')).toBe(false);
  expect(mayShow(deployer, 'https://chat.example', 'https://chat.example')).toBe(true);
  expect(mayShow({ ...deployer, hosts: ['*'] }, 'null', 'https://chat.example')).toBe(true);
  expect(mayRead(deployer, 'https://shop.example')).toBe(true);
  expect(mayRead({ hosts: ['*'], shareMessages: [] }, 'https://shop.example')).toBe(false);
});
