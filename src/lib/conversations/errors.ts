/** What can go wrong with conversations that are kept. */

export type ConversationErrorCode =
  | 'newer' // written by a newer version of the app
  | 'full' // no room is left on the device
  | 'closed' // the browser keeps nothing here
  | 'import'; // a file that is not what it should be

export class ConversationError extends Error {
  override readonly name = 'ConversationError';

  constructor(
    readonly code: ConversationErrorCode,
    message: string,
    /** The part of an imported file that is wrong, as `conversations[0].messages[3].parent`. */
    readonly field?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
