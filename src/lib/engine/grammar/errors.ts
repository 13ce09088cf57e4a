/** A schema or pattern asks for something that a grammar cannot hold. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';

  constructor(
    /** Of the keyword, in the request. */
    readonly path: string,
    readonly problem: string,
  ) {
    super(`${path}: ${problem}`);
  }
}
