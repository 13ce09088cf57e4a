/** One amount among others of its kind. */
export interface Bar {
  readonly name: string;
  readonly amount: number;
  /** The amount with its unit. */
  readonly text: string;
}
