/** Conversations for tests. */
import { newConversation, type Conversation, type Message, type Whole } from '$lib/conversations/records';

/** Messages from lines `id parent`; a question where the parent is an answer or none, written one after the other. */
export function messagesFrom(...lines: readonly string[]): Message[] {
  const roles = new Map<string, Message['role']>();
  return lines.map((line, created) => {
    const [id = '', parent = null] = line.split(' ');
    const role = parent !== null && roles.get(parent) === 'user' ? 'assistant' : 'user';
    roles.set(id, role);
    return { id, parent, role, text: `words of ${id}`, created };
  });
}

export function byId(messages: readonly Message[]): Map<string, Message> {
  return new Map(messages.map((message) => [message.id, message]));
}

export function wholeOf(messages: readonly Message[], changes: Partial<Conversation> = {}): Whole {
  const conversation = { ...newConversation({}, 1000), leaf: messages.at(-1)?.id ?? null, ...changes };
  return { conversation, messages };
}
