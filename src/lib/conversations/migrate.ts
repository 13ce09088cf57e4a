/**
 * The stored shape's versions. A step takes a whole conversation from one version to the next; steps are never changed
 * once they were released, so that whatever was stored or exported once can be read for good.
 */
import { ConversationError } from './errors';
import { VERSION, type Whole } from './records';

/** Of a version that only its step knows. */
export interface OldWhole {
  readonly conversation: Readonly<Record<string, unknown>>;
  readonly messages: readonly Readonly<Record<string, unknown>>[];
}

/** `steps[i]` leads from version i + 1 to version i + 2. */
export interface Schema {
  readonly version: number;
  readonly steps: readonly ((old: OldWhole) => OldWhole)[];
}

export const SCHEMA: Schema = {
  version: VERSION,
  // 2: questions may have files.
  steps: [(old) => old],
};

/** The same conversation in today's shape. Throws `newer` where it comes from tomorrow. */
export function migrate(old: OldWhole, from: number, { version, steps }: Schema = SCHEMA): Whole {
  if (from > version) throw newer();
  const whole = steps.slice(from - 1).reduce((before, step) => step(before), old);
  // The last step has made it so.
  return { ...whole, conversation: { ...whole.conversation, version } } as unknown as Whole;
}

export function newer(): ConversationError {
  return new ConversationError(
    'newer',
    'This was written by a newer version of Fireside. Reload the page to get it; nothing is lost.',
  );
}
