/** Titles, search and Markdown: what is made of a conversation's words. */
import { expect, test } from 'vitest';
import { toMarkdown } from '$lib/conversations/markdown';
import { findAmong, findIn, fold } from '$lib/conversations/search';
import { titleFrom } from '$lib/conversations/title';
import { messagesFrom } from './made';

test.each([
  ['What is the capital of France?', 'What is the capital of France?'],
  ['\n\n```\n## **Plan** for  `today`\nmore', 'Plan for today'],
  ['Explain, as you would to a child of six who asks too many questions, why the sky is blue', /^Explain, .{20,50} …$/],
  ['東'.repeat(100), `${'東'.repeat(60)} …`],
  ['👩‍🚀', ''],
  [' \n', ''],
])('%j is titled', (text, title) => {
  if (typeof title === 'string') expect(titleFrom(text)).toBe(title);
  else expect(titleFrom(text)).toMatch(title);
});

test('case and accents do not matter, and what was found is shown as it was written', () => {
  expect(findIn('Der große CAFÉ-Besuch', fold('café'))).toEqual({
    before: 'Der große ',
    match: 'CAFÉ',
    after: '-Besuch',
  });
  expect(findIn('Ein ＦＵＬＬ Wort', fold('full'))?.match).toBe('ＦＵＬＬ');
  expect(findIn('İstanbul', fold('istanbul'))?.match).toBe('İstanbul');
  expect(findIn('nothing here', fold('else'))).toBeUndefined();
  expect(findIn('anything', '')).toBeUndefined();
});

test('long texts are shown around what was found', () => {
  const found = findIn(`${'a '.repeat(500)}needle${' z'.repeat(500)}`, 'needle')!;
  expect(found.before).toMatch(/^…[a ]{40}$/);
  expect(found.after).toMatch(/^[z ]{40}…$/);
  expect(findAmong(messagesFrom('q1', 'a1 q1'), 'of a1')?.message.id).toBe('a1');
});

test('files are searched too, by their names and their texts', () => {
  const [question] = messagesFrom('q1');
  const asked = [{ ...question!, files: [{ name: 'Budget.csv', text: 'rent,900' }] }];
  expect(findAmong(asked, 'budget')?.found.match).toBe('Budget');
  expect(findAmong(asked, 'rent')?.found.after).toBe(',900');
});

test('folding keeps every place where it was', () => {
  for (const text of ['ﬁ Å ß İ ǅ', '🇩🇪 é e\u0301', '\ud800 half']) expect(fold(text)).toHaveLength(text.length);
});

test('Markdown has a heading a message, with the name of who spoke', () => {
  const [question, answer] = messagesFrom('q1', 'a1 q1');
  const path = [question!, { ...answer!, model: 'Tiny', text: ' **Yes.**\n' }];
  expect(toMarkdown({ title: 'On yes' }, path, { you: 'You', answer: 'Answer' })).toBe(
    '# On yes\n\n## You\n\nwords of q1\n\n## Tiny\n\n**Yes.**\n',
  );
  const asked = [{ ...question!, files: [{ name: 'a.csv', text: '1,2\n' }] }];
  expect(toMarkdown({ title: '' }, asked, { you: 'You', answer: 'Answer' })).toBe(
    '## You\n\na.csv\n```\n1,2\n```\n\nwords of q1\n',
  );
});
