/** A conversation as Markdown, for people and for other programs: the branch that is shown, one heading a message. */
import type { Conversation, Message } from './records';

export interface Speakers {
  readonly you: string;
  readonly answer: string;
}

export function toMarkdown(
  { title }: Pick<Conversation, 'title'>,
  path: readonly Message[],
  { you, answer }: Speakers,
): string {
  const parts = path.map(({ role, text, model }) => {
    const speaker = role === 'user' ? you : (model ?? answer);
    return `## ${speaker}\n\n${text.trim()}\n`;
  });
  return [...(title === '' ? [] : [`# ${title}\n`]), ...parts].join('\n');
}
