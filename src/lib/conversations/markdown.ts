/** A conversation as Markdown, for people and for other programs: the branch that is shown, one heading a message. */
import { withFiles } from './files';
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
  const parts = path.map((message) => {
    const { role, model } = message;
    const speaker = role === 'user' ? you : (model ?? answer);
    return `## ${speaker}\n\n${withFiles(message).trim()}\n`;
  });
  return [...(title === '' ? [] : [`# ${title}\n`]), ...parts].join('\n');
}
