/** Thoughts are told from answers, also while they come. */
import { expect, test } from 'vitest';
import { partsOf } from '$lib/chat/thinking';

test.each([
  ['Just an answer.', undefined, 'Just an answer.', false],
  ['', undefined, '', false],
  ['\n<think>\nHm.\n</think>\n\nYes.', 'Hm.', 'Yes.', false],
  ['<thinking>a</thinking>b', 'a', 'b', false],
  ['[THINK]a[/THINK]b', 'a', 'b', false],
  ['<think>still', 'still', '', true],
  // The mark itself is still coming.
  ['<thi', undefined, '', false],
  // The prompt ended with the first mark.
  ['So.\n</think>\nYes.', 'So.', 'Yes.', false],
  // Somebody writes about the mark.
  ['It ends with `</think>`.', undefined, 'It ends with `</think>`.', false],
  ['a < b', undefined, 'a < b', false],
])('%j', (text, thought, answer, open) => {
  expect(partsOf(text)).toEqual({ thought, answer, open });
});
