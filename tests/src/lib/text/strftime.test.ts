/** Dates as Python writes them, whatever the language of the machine. */
import { expect, test } from 'vitest';
import { strftime } from '$lib/text/strftime';

const DATE = new Date(2024, 6, 6, 0, 5, 9);

test.each([
  ['%d %b %Y', '06 Jul 2024'],
  ['%A, %B %-d, %Y', 'Saturday, July 6, 2024'],
  ['%F %T', '2024-07-06 00:05:09'],
  ['%a %e %y %m %j', 'Sat  6 24 07 188'],
  ['%I:%M:%S %p', '12:05:09 AM'],
  ['100%% %Q', '100% %Q'],
])('%s', (format, wanted) => {
  expect(strftime(DATE, format)).toBe(wanted);
});
