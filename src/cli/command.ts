/** What `fireside` can do: one file a command, in `commands/`. */
export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What follows `fireside NAME`, with every option; printed by `fireside NAME --help`. */
  readonly usage: string;
  /** Returns the exit code. Throws `UsageError` for arguments that it does not understand. */
  run(args: string[]): Promise<number>;
}

/** The person asked for something that does not exist: say so, show the usage, end with code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
