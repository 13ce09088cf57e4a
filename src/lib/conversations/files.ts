/** A question with its files, as one text: for the model, and for Markdown. */
import type { Message } from './records';

/** Files first, each under its name and within a fence that nothing in it can end; then what is asked of them. */
export function withFiles({ text, files = [] }: Pick<Message, 'text' | 'files'>): string {
  const parts = files.map((file) => {
    const fence = fenceFor(file.text);
    return `${file.name}\n${fence}\n${file.text.replace(/\n$/, '')}\n${fence}`;
  });
  return [...parts, text].filter((part) => part !== '').join('\n\n');
}

/** One longer than the longest row of backticks. */
function fenceFor(text: string): string {
  const longest = (text.match(/`{3,}/g) ?? []).reduce((most, { length }) => Math.max(most, length), 2);
  return '`'.repeat(longest + 1);
}
