/** What the parts of the models page are given. */
import type { Shelf } from '../state/shelf.svelte';

export interface PartProps {
  readonly shelf: Shelf;
  /** Shows a line for a moment. */
  readonly tell: (text: string) => void;
  /** Does it, and shows what goes wrong. */
  readonly attempt: (act: () => Promise<unknown>) => void;
}
