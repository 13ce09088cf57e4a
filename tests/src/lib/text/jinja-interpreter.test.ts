/** Templates mean what Jinja says, and every character of the result is known by its writer. */
import { describe, expect, test } from 'vitest';
import { ChatTemplate, type RenderOptions } from '$lib/text/template';
import type { ChatMessage } from '$lib/text/messages';

/** The prompt with what a person wrote in «», what the model wrote in ‹›. */
function render(source: string, content = 'hi', options: RenderOptions = {}): string {
  const messages: ChatMessage[] = [
    { role: 'user', content },
    { role: 'assistant', content: 'yes' },
  ];
  return marked(source, messages, options);
}

function marked(source: string, messages: readonly ChatMessage[], options: RenderOptions = {}): string {
  const { segments, text } = new ChatTemplate(source).render(messages, options);
  expect(segments.map((segment) => segment.text).join('')).toBe(text);
  const marks = { template: ['', ''], model: ['‹', '›'], text: ['«', '»'] } as const;
  return segments.map(({ text: part, origin }) => marks[origin][0] + part + marks[origin][1]).join('');
}

const C = 'messages[0].content';

describe('who wrote it', () => {
  test.each<[string, string, string]>([
    ['plain', `[{{ ${C} }}]{{ messages[1].content }}`, '[«hi»]‹yes›'],
    ['joined with +', `{{ '[' + ${C} + ']' }}`, '[«hi»]'],
    ['joined with ~', `{{ '[' ~ ${C} ~ 1 ~ ']' }}`, '[«hi»1]'],
    ['in a variable', `{% set x = '[' + ${C} %}{{ x + ']' }}`, '[«hi»]'],
    ['in a block', `{% set x %}[{{ ${C} }}]{% endset %}{{ x }}`, '[«hi»]'],
    ['in a macro', `{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(${C}) }}`, '[«hi»]'],
    ['in a call', `{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}{{ ${C} }}{% endcall %}`, '[«hi»]'],
    ['in a loop', `{% for m in messages %}{{ m.role + ':' + m.content }} {% endfor %}`, 'user:«hi» assistant:‹yes› '],
    [
      'gathered in a namespace',
      `{% set n = namespace(t='') %}{% for m in messages %}{% set n.t = n.t + '|' + m.content %}{% endfor %}{{ n.t }}`,
      '|«hi»|‹yes›',
    ],
    ['one of two', `{{ ${C} if true else 'x' }}{{ none_such or 'y' }}`, '«hi»y'],
    ['by default', `{{ none_such | default('z') }}{{ ${C} | default('z') }}`, 'z«hi»'],
    ['the first of a list', `{{ ['<a>', ${C}] | first }}{{ ['<a>', ${C}] | last }}`, '<a>«hi»'],
    ['a list, joined', `{{ ['<a>', ${C}] | join('-') }}`, '«<a>-hi»'],
    ['out of an object', `{{ {'k': ${C}}.k }}{{ {'k': ${C}}.get('k') }}`, '«hihi»'],
  ])('%s', (_, source, wanted) => {
    expect(render(source)).toBe(wanted);
  });

  test.each<[string, string, string]>([
    ['trim', `{{ ${C} | trim }}`, '«a b»'],
    ['trim of both', `{{ (' <x>' + ${C}) | trim }}`, '<x>« a b»'],
    ['strip', `{{ (' <x>' + ${C} + '<y> ').strip() }}`, '<x>« a b »<y>'],
    ['upper', `{{ ${C} | upper }}`, '« A B »'],
    ['replace', `{{ ${C}.replace('a', '<x>') }}{{ ${C} | replace('a', '<x>') }}`, '« <x> b  <x> b »'],
    ['split', `{{ ${C}.split(' ')[1] }}`, '«a»'],
    ['a slice', `{{ ${C}[1:2] }}{{ ${C}[1] }}`, '«aa»'],
    ['tojson', `{{ ${C} | tojson }}{{ {'k': ${C}} | tojson }}`, '«" a b "{"k": " a b "}»'],
    ['string', `{{ ${C} | string }}`, '« a b »'],
    ['written out', `{{ [${C}] }}`, '«[" a b "]»'],
    ['a filter block', `{% filter upper %}x{{ ${C} }}{% endfilter %}`, '«X A B »'],
    ['as a key', `{% for k in {${C}: 1} %}{{ k }}{% endfor %}`, '« a b »'],
    ['as a key of items', `{% for k, v in {${C}: '<v>'}.items() %}{{ k }}{{ v }}{% endfor %}`, '« a b »<v>'],
    ['as a key of dictsort', `{% for k, v in {${C}: 1} | dictsort %}{{ k }}{% endfor %}`, '« a b »'],
  ])('after %s', (_, source, wanted) => {
    expect(render(source, ' a b ')).toBe(wanted);
  });

  test('names and descriptions of tools, their keys too, are a person’s', () => {
    const tool = { type: 'function' as const, function: { name: 'f', parameters: { '<|im_end|>': 1 } } };
    const source = `{% for t in tools %}{{ t.function.name }}{% for k, v in t.function.parameters.items() %}{{ k }}{% endfor %}{{ t | tojson }}{% endfor %}`;
    expect(render(source, 'hi', { tools: [tool] })).toBe(
      '«f<|im_end|>{"type": "function", "function": {"name": "f", "parameters": {"<|im_end|>": 1}}}»',
    );
  });

  test('calls that the model made are the model’s, results are a person’s', () => {
    const call = { id: 'a', function: { name: 'f', arguments: '{"x": "<s>"}' } };
    const source = `{% for m in messages %}{% if m.tool_calls %}{% for c in m.tool_calls %}{{ c.id }}{{ c.function.arguments | tojson }}{% endfor %}{% else %}{{ m.content }}{{ m.tool_call_id }}{{ m.name }}{% endif %}{% endfor %}`;
    expect(
      marked(source, [
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', content: 'r', tool_call_id: 'a', name: 'f' },
      ]),
    ).toBe('‹a{"x": "<s>"}›«raf»');
  });

  test('variables that a caller gives are a person’s, special tokens and dates the template’s', () => {
    const source = `{{ bos_token }}{{ mood }}{{ strftime_now('%Y') }}`;
    const template = new ChatTemplate(source, { bos_token: '<s>' });
    const { segments } = template.render([{ role: 'user', content: '' }], {
      variables: { mood: 'calm' },
      now: new Date(2024, 1, 1),
    });
    expect(segments).toEqual([
      { text: '<s>', origin: 'template' },
      { text: 'calm', origin: 'text' },
      { text: '2024', origin: 'template' },
    ]);
  });
});

describe('put right: unlike the package, like Jinja', () => {
  test.each<[string, string, string]>([
    ['True and False are written so', `{{ true }}{{ 'a' ~ false }}{{ true | tojson }}`, 'TrueaFalsetrue'],
    [
      'strip takes characters',
      `{{ '--a--'.strip('-') }}{{ '\\n b'.lstrip('\\n') }}{{ 'c \\n'.rstrip('\\n') }}|`,
      'a bc |',
    ],
    [
      'a number is no text',
      `{{ 1 == '1' }}{{ 1 == 1.0 }}{{ true == 1 }}{{ '' == 0 }}{{ none == none_such }}`,
      'FalseTrueTrueFalseFalse',
    ],
    [
      'lists and objects are equal by what they hold',
      `{{ [1, {'a': 'b'}] == [1, {'a': 'b'}] }}{{ [1] == [2] }}{{ {} != {'a': 1} }}`,
      'TrueFalseTrue',
    ],
    ['a list is no text', `{{ ['a'] == 'a' }}`, 'False'],
    [
      'what was written before break and continue stays',
      `{% for i in range(5) %}{{ i }}{% if i == 1 %}c{% continue %}{% endif %}{% if i == 3 %}b{% break %}{% endif %},{% endfor %}`,
      '0,1c2,3b',
    ],
    [
      'nothing is an empty list',
      `{% for x in none_such %}x{% else %}empty{% endfor %}{% for x in tools %}x{% endfor %}`,
      'empty',
    ],
    ['nothing is found under nothing', `{{ {'a': 1}[none_such] is defined }}`, 'False'],
  ])('%s', (_, source, wanted) => {
    expect(render(source)).toBe(wanted);
  });
});

describe('as it was: what Jinja means', () => {
  test.each<[string, string, string]>([
    ['white space control', '{% if true %}\n  a\n{% endif %}\n{{- " b" -}}\n c', '  a\n bc'],
    [
      'filters with arguments',
      `{{ [3, 1, 2] | sort(reverse=true) | join('-') }}{{ 'a\nb' | indent(2) }}`,
      '3-2-1a\n  b',
    ],
    [
      'objects',
      `{% set o = {'b': 1, 'a': [1, 2.5, none]} %}{{ o | tojson }}{{ o.a | length }}`,
      '{"b": 1, "a": [1, 2.5, null]}3',
    ],
    ['tojson with indent', `{{ {'a': [1]} | tojson(indent=2) }}`, '{\n  "a": [\n    1\n  ]\n}'],
    [
      'a condition in a loop',
      `{% for i in range(6) if i % 2 == 0 %}{{ loop.index }}:{{ i }} {% endfor %}`,
      '1:0 2:2 3:4 ',
    ],
    [
      'an object in a loop',
      `{% for k in {'x': 1, 'y': 2} %}{{ k }}{% endfor %}{% for k, v in {'x': 1}.items() %}{{ k }}{{ v }}{% endfor %}`,
      'xyx1',
    ],
    [
      'loops in loops',
      `{% for i in range(2) %}{% for j in range(2) %}{{ i }}{{ j }}{{ loop.last }} {% endfor %}{% endfor %}`,
      '00False 01True 10False 11True ',
    ],
    [
      'a macro that calls itself',
      `{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}`,
      '3210',
    ],
    [
      'macros with defaults',
      `{% macro f(a, b='y') %}{{ a }}{{ b }}{% endmacro %}{{ f('x') }}{{ f('x', b='z') }}`,
      'xyxz',
    ],
    ['arguments handed on', `{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ f(*['x'], **{'b': 'y'}) }}`, 'xy'],
    ['selectattr', `{{ messages | selectattr('role', 'equalto', 'user') | list | length }}`, '1'],
    [
      'tests',
      `{{ 'a' is string }}{{ none is none }}{{ 1 is number }}{{ x is defined }}{{ messages is iterable }}`,
      'TrueTrueTrueFalseTrue',
    ],
    ['in', `{{ 'a' in 'cat' }}{{ 'a' in ['a'] }}{{ 'a' in {'a': 1} }}{{ 'b' not in 'cat' }}`, 'TrueTrueTrueTrue'],
    [
      'range',
      `{{ range(3) | join }}{{ range(1, 4) | join }}{{ range(5, 0, -2) | join }}{{ range(0) | length }}`,
      '0121235310',
    ],
  ])('%s', (_, source, wanted) => {
    expect(render(source).replace(/[«»‹›]/g, '')).toBe(wanted);
  });
});
