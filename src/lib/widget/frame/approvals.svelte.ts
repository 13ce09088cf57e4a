/** Tools that the model wants to use: the visitor is asked, since what is called tells the page of the conversation. */
import type { Call } from './talk';

export interface Asked {
  readonly call: Call;
  readonly decide: (how: 'once' | 'always' | 'no') => void;
}

export class Approvals {
  /** Waits for the visitor. */
  asked = $state.raw<Asked>();
  /** Is being carried out. */
  running = $state<string>();
  /** Carried out for the answer that is being written, or was last. */
  used = $state.raw<readonly string[]>([]);
  #always: readonly string[] = [];

  /** Another answer begins. */
  begin(): void {
    this.used = [];
  }

  /** Nothing is allowed beforehand any more, and what waits is not allowed. */
  forget(): void {
    this.#always = [];
    this.asked?.decide('no');
    this.used = [];
  }

  /** Resolves with what the model is to read; whatever goes wrong, it is told. */
  async run(call: Call, signal: AbortSignal | undefined, carryOut: () => Promise<string>): Promise<string> {
    if (!this.#always.includes(call.name) && !(await this.#ask(call, signal))) {
      return 'The visitor did not allow this. Do not try it again; answer without it.';
    }
    this.running = call.name;
    try {
      const result = await carryOut();
      this.used = [...this.used, call.name];
      return result;
    } catch (error) {
      return `It failed: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      this.running = undefined;
    }
  }

  #ask(call: Call, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((answer) => {
      const decide: Asked['decide'] = (how) => {
        this.asked = undefined;
        if (how === 'always') this.#always = [...this.#always, call.name];
        answer(how !== 'no');
      };
      if (signal?.aborted) return decide('no');
      signal?.addEventListener('abort', () => decide('no'), { once: true });
      this.asked = { call, decide };
    });
  }
}
