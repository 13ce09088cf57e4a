/** What became of what a person asked for on the page: a word, or why it did not work. */
import type { StoreFailure } from '$lib/store';
import { failureOf } from '$lib/store/errors';

export class Telling {
  text = $state('');
  failure = $state.raw<StoreFailure>();

  readonly tell = (text: string): void => {
    this.text = text;
    this.failure = undefined;
  };

  refuse(error: unknown): void {
    this.text = '';
    this.failure = failureOf(error);
  }

  clear(): void {
    this.text = '';
    this.failure = undefined;
  }

  /** Runs what may fail; every failure says itself what to do. */
  readonly attempt = (act: () => Promise<unknown>): void => {
    this.failure = undefined;
    act().catch((error: unknown) => this.refuse(error));
  };
}
