/** Templates that do not want to end: each is stopped with an error of its kind, soon, and without filling memory. */
import { describe, expect, test } from 'vitest';
import { TemplateError, type TextErrorCode } from '$lib/text/errors';
import { ChatTemplate, type RenderOptions } from '$lib/text/template';

function codeOf(source: string, options: RenderOptions = {}): TextErrorCode | 'rendered' | 'untyped' {
  try {
    new ChatTemplate(source).render([{ role: 'user', content: 'hi' }], options);
    return 'rendered';
  } catch (error) {
    return error instanceof TemplateError ? error.code : 'untyped';
  }
}

/** `ns.s` holds half a million characters, after 16 doublings. */
const LONG = `{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(16) %}{% set ns.s = ns.s + ns.s %}{% endfor %}`;
/** `ns.s` is a list that would be 2^60 entries long if it were written out. */
const LAUGHS = `{% set ns = namespace(s=['lol']) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}`;
const MANY = '{% for i in range(99999) %}';

const HOSTILE: Readonly<Record<string, string>> = {
  'loops in loops': `${MANY}${MANY}${MANY}x{% endfor %}{% endfor %}{% endfor %}`,
  'loops around nothing': `${MANY}${MANY}{% endfor %}{% endfor %}`,
  'a range without end': '{% for i in range(1000000000000) %}x{% endfor %}',
  'a macro that calls itself': '{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}',
  'macros that call each other':
    '{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}',
  'a text that doubles':
    '{% set ns = namespace(s="a") %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}',
  'a text that doubles by ~':
    '{% set ns = namespace(s="a") %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}',
  'a block that doubles':
    '{% set ns = namespace(s="a") %}{% for i in range(60) %}{% set x %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = x %}{% endfor %}',
  'a list that doubles':
    '{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}',
  'much output': `${MANY}${'a'.repeat(2000)}{% endfor %}`,
  'lists of lists, as JSON': `${LAUGHS}{{ ns.s | tojson }}`,
  'lists of lists, written out': `${LAUGHS}{{ ns.s }}`,
  'lists of lists, joined to a text': `${LAUGHS}{{ 'a' + ns.s }}`,
  'lists of lists, joined by a filter': `${LAUGHS}{{ ns.s | join }}`,
  'lists of lists, compared': `${LAUGHS}{% set a = ns.s %}${LAUGHS}{{ a == ns.s }}`,
  'a list in a list in a list': `{% set ns = namespace(s=[]) %}${MANY}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s | tojson }}`,
  'a namespace in itself': '{% set ns = namespace(a=1) %}{% set ns.a = ns %}{{ ns }}',
  'a wide indentation': '{{ "a\nb" | indent(1000000000) }}',
  'a wide indentation by name': '{{ "a\nb" | indent(width=1000000000) }}',
  'JSON with a wide indentation': '{{ [1] | tojson(indent=1000000000) }}',
  'JSON with long separators': `${LONG}{{ [1] | tojson(separators=(ns.s, ns.s)) }}`,
  'long separators': `${LONG}{{ range(90000) | join(ns.s) }}`,
  'long separators by name': `${LONG}{{ range(90000) | join(separator=ns.s) }}`,
  'a replacement that multiplies': `${LONG}{{ ns.s | replace('', ns.s) }}`,
  'a replacement that multiplies, as a method': `${LONG}{{ ns.s.replace('a', ns.s) }}`,
  'a slow search': `${LONG}{% set n = ns.s[:100000] + 'b' %}${MANY}{{ n in ns.s }}{% endfor %}`,
  'a slow split': `${LONG}{% set n = ns.s[:100000] + 'b' %}${MANY}{{ ns.s.split(n) | length }}{% endfor %}`,
  'slow filters': `${LONG}${MANY}{% set x = ns.s | upper %}{% endfor %}`,
  'slow slices': `${LONG}${MANY}{% set x = ns.s[::-1] %}{% endfor %}`,
  'slow comparisons': `${LONG}{% set t = ns.s[:] %}${MANY}{% set x = ns.s == t %}{% endfor %}`,
  'slow sorting': `{% set l = range(90000) | list %}${MANY}{% set x = l | sort %}{% endfor %}`,
  'slow paths': `${LONG}{% set d = ns.s.replace('a', '.') %}{% set l = [{}] + [{}] %}${MANY}{% set x = l | map(attribute=d) | list %}{% endfor %}`,
  'macros defined again and again': `${MANY}{% macro m() %}${'{{ a }}'.repeat(20000)}{% endmacro %}{% endfor %}`,
  'dates again and again': `${LONG}${MANY}{% set x = strftime_now(ns.s) %}{% endfor %}`,
  'an expression without end': `{{ ${Array(50_000).fill('1').join('+')} }}`,
};

test.each(Object.entries(HOSTILE))('%s', (_, source) => {
  const began = performance.now();
  // The clock is the last resort: what is counted has to do.
  expect(codeOf(source, { limits: { milliseconds: 30_000 } })).toBe('template-budget');
  // A fraction of a second where nothing else runs; the limit is that of a machine that does much else.
  expect(performance.now() - began).toBeLessThan(10_000);
});

describe('the budget', () => {
  test('is measured by the conversation: a long one is no attack', () => {
    const source = `{% for m in messages[::-1] %}{% for w in m.content.split(' ') %}{{ w | upper }} {% endfor %}{% endfor %}`;
    const messages = Array.from({ length: 400 }, () => ({ role: 'user' as const, content: 'word '.repeat(100) }));
    expect(new ChatTemplate(source).render(messages).text.length).toBeGreaterThan(200_000);
  });

  test('can be set', () => {
    const source = '{% for i in range(100) %}x{% endfor %}';
    expect(codeOf(source)).toBe('rendered');
    expect(codeOf(source, { limits: { steps: 50 } })).toBe('template-budget');
    expect(codeOf(source, { limits: { text: 50 } })).toBe('template-budget');
    expect(codeOf(source, { limits: { items: 50 } })).toBe('template-budget');
    expect(codeOf(source, { limits: { depth: 2 } })).toBe('template-budget');
    expect(codeOf(source.replace('100', '9999'), { limits: { milliseconds: 0 } })).toBe('template-budget');
  });

  test('says what it was and what to do', () => {
    expect(() =>
      new ChatTemplate('{{ range(10) }}').render([{ role: 'user', content: '' }], { limits: { items: 5 } }),
    ).toThrow(
      'The chat template was stopped: a list in it grew beyond 5 entries. It does not look like one for chats; choose another for this model.',
    );
  });
});

describe('sources that cannot be read', () => {
  test.each<[string, string, RegExp]>([
    ['nested parentheses', `{{ ${'('.repeat(100_000)}1 }}`, /nested too deeply/],
    ['nested statements', '{% if 1 %}'.repeat(20_000), /nested too deeply|in the middle/],
    ['negations', `{{ ${'not '.repeat(100_000)}1 }}`, /nested too deeply/],
    ['an open statement', '{% for a in b %}', /ends in the middle/],
    ['an open expression', '{{ a', /cannot be read/],
    ['an unknown statement', '{% frobnicate %}', /Unknown statement/],
    ['an unknown sign', '{{ 1 ? 2 }}', /cannot be read/],
    ['a sea of spaces', `{{ 1 }}${' '.repeat(400_000)}{{ 2 }}`, /mostly white space/],
    ['a book', 'x'.repeat(600_000), /600000 characters long/],
  ])('%s', (_, source, message) => {
    expect(codeOf(source)).toBe('template-syntax');
    expect(() => new ChatTemplate(source)).toThrow(message);
  });
});

test('a template that fails says so, one that refuses says why, at no great length', () => {
  expect(codeOf('{{ none_such.a.b }}{{ none_such() }}')).toBe('template-failed');
  expect(codeOf('{{ 1 + none_such }}')).toBe('template-failed');
  expect(codeOf('{{ range(1, 5, 0) }}')).toBe('template-failed');
  expect(codeOf('{{ raise_exception("Only tea.") }}')).toBe('template-raised');
  const loud = new ChatTemplate(`${LONG}{{ raise_exception(ns.s) }}`);
  try {
    loud.render([{ role: 'user', content: 'hi' }]);
    expect.unreachable();
  } catch (error) {
    expect((error as Error).message.length).toBeLessThan(600);
  }
});

test('nothing of JavaScript is within reach', () => {
  const source = `{{ messages.constructor }}{{ ''.constructor }}{{ messages.__proto__ }}{{ {}['constructor'] }}{{ toString }}{{ globalThis }}`;
  expect(new ChatTemplate(source).render([{ role: 'user', content: 'hi' }]).text).toBe('');
});
