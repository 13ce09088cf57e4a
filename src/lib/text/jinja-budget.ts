/**
 * What a chat template may use up. A template comes with a model file from anywhere, and Jinja can loop, recurse, and
 * double a string in every step; this stops it long before the tab notices.
 */
import { TemplateError } from './errors';
import { isArray, isMap, isString, type Value } from './jinja';

export interface TemplateLimits {
  /** Steps of evaluation; work on long texts and lists counts as several. */
  readonly steps: number;
  /** Nesting of evaluation: macros that call themselves, expressions in expressions. */
  readonly depth: number;
  /** Characters of any one text. */
  readonly text: number;
  /** Entries of any one list. */
  readonly items: number;
  readonly milliseconds: number;
}

/** Characters that are handled in the time of a step. */
const CHARACTERS_A_STEP = 64;
/** A look at the clock costs as much as many steps. */
const STEPS_A_LOOK = 512;

/** Levels of a value that is written out with indentation. */
const DEEPEST_INDENTED = 32;

interface Measuring {
  readonly known: Map<Value, number>;
  readonly deepest: number;
  /** Characters around each entry. */
  readonly entry: number;
}

export class Budget {
  readonly #deadline: number;
  #steps = 0;
  #nextLook = STEPS_A_LOOK;
  #depth = 0;

  constructor(readonly limits: TemplateLimits) {
    this.#deadline = performance.now() + limits.milliseconds;
  }

  /** Steps used so far. */
  get steps(): number {
    return this.#steps;
  }

  enter(): void {
    if (++this.#depth > this.limits.depth) throw stopped(`it is nested more than ${this.limits.depth} deep`);
    this.charge(1);
  }

  leave(): void {
    this.#depth -= 1;
  }

  charge(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.limits.steps) throw stopped(`it took more than ${this.limits.steps} steps`);
    if (this.#steps < this.#nextLook) return;
    this.#nextLook = this.#steps + STEPS_A_LOOK;
    if (performance.now() > this.#deadline) throw stopped(`it took more than ${this.limits.milliseconds} ms`);
  }

  /** Work on so many characters. */
  chargeText(characters: number): void {
    this.charge(characters / CHARACTERS_A_STEP);
  }

  /** Looking for `needle` in `text`: a bad case looks at every character of it everywhere. */
  chargeSearch(text: string, needle: string): void {
    this.chargeText(text.length * (1 + needle.length / CHARACTERS_A_STEP));
  }

  checkText(length: number): void {
    if (length > this.limits.text) throw stopped(`a text in it grew beyond ${this.limits.text} characters`);
  }

  checkItems(length: number): void {
    if (length > this.limits.items) throw stopped(`a list in it grew beyond ${this.limits.items} entries`);
  }

  check(value: Value): void {
    if (isString(value)) this.checkText(value.value.length);
    else if (isArray(value)) this.checkItems(value.value.length);
  }

  /**
   * Length of a value written out as JSON, or a little more. Lists may hold the same list twice, and that one another
   * twice, so it is measured without writing it out.
   *
   * @param indent spaces that each level is indented by
   */
  measure(value: Value, indent = 0): number {
    const deepest = indent > 0 ? DEEPEST_INDENTED : this.limits.depth;
    return this.#measure(value, { known: new Map(), deepest, entry: 2 + indent * DEEPEST_INDENTED }, 0);
  }

  #measure(value: Value, measuring: Measuring, depth: number): number {
    if (isString(value)) return value.value.length + 2;
    if (!isArray(value) && !isMap(value)) return 8;
    const before = measuring.known.get(value);
    if (before !== undefined) return before;
    if (depth > measuring.deepest) throw stopped(`a list in it is nested more than ${measuring.deepest} deep`);
    measuring.known.set(value, 0); // A namespace may hold itself; writing that out fails by itself.
    let length = 2;
    if (isArray(value)) {
      this.charge(1 + value.value.length / 8);
      for (const item of value.value) length += measuring.entry + this.#measure(item, measuring, depth + 1);
    } else {
      this.charge(1 + value.value.size / 8);
      for (const [key, item] of value.value) {
        length += measuring.entry + 4 + key.length + this.#measure(item, measuring, depth + 1);
      }
    }
    this.checkText(length);
    measuring.known.set(value, length);
    return length;
  }
}

function stopped(why: string): TemplateError {
  return new TemplateError(
    'template-budget',
    `The chat template was stopped: ${why}. It does not look like one for chats; choose another for this model.`,
  );
}
