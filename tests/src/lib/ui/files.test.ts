import { expect, test } from 'vitest';
import { fileName } from '$lib/ui/files';

test.each([
  ['What is 1/2?', 'What is 1 2'],
  ['../../etc/passwd', 'etc passwd'],
  ['a\u0000b:c', 'a b c'],
  ['', 'fireside'],
  ['...', 'fireside'],
  ['東京', '東京'],
])('%j is saved as «%s»', (name, file) => {
  expect(fileName(name)).toBe(file);
});
