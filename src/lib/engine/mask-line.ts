/** The worker's end of the questions that a generation has for the page: which tokens may come next? */
import type { MaskAnswer, MaskHook, MaskQuestion } from './protocol';

interface Asked {
  readonly answered: (mask: Uint32Array | undefined) => void;
  readonly failed: (error: Error) => void;
}

export class MaskLine {
  /** By generation, which has one question at a time. */
  readonly #asked = new Map<number, Asked>();

  constructor(private readonly send: (question: MaskQuestion) => void) {}

  /** For the generation of this id. */
  hook(id: number): MaskHook {
    return (drawn) =>
      new Promise((answered, failed) => {
        this.#asked.set(id, { answered, failed });
        this.send({ id, type: 'mask', drawn });
      });
  }

  /** An answer that nobody waits for any more is let go. */
  take({ maskFor, mask, failed }: MaskAnswer): void {
    const asked = this.#asked.get(maskFor);
    this.#asked.delete(maskFor);
    if (failed === undefined) asked?.answered(mask);
    else asked?.failed(new Error(failed));
  }

  /** The generation is over. */
  forget(id: number): void {
    this.#asked.delete(id);
  }
}
