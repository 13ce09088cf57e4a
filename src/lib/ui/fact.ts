/** One row of a table of facts. */
export interface Fact {
  readonly name: string;
  readonly value: string;
  /** Said more quietly after the value. */
  readonly note?: string;
}
