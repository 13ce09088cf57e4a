/**
 * Finds the calls of tools in an answer while it comes. What may be the beginning of one is held back, and is text again
 * where it turns out to be none; everything else goes out at once.
 */
import { CallScanner } from './call-scanner';
import type { ToolFormat } from './tool-formats';

export type AnswerEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call'; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: 'arguments'; readonly index: number; readonly text: string };

/**
 * `text`: outside of calls. `between`: after a mark or a call, where another may come. `name`: `get_weather[ARGS]{...}`,
 * as Mistral's newer models write it. `call`: inside an object. `bare`: inside one that no mark began, which is a call
 * only if it has the name of a tool.
 */
type Place = 'text' | 'between' | 'name' | 'call' | 'bare';

/** What may stand between calls. */
const SEPARATORS = /^[[\],;\s]*$/;

export class ToolCallParser {
  readonly #format: ToolFormat;
  readonly #known: ReadonlySet<string>;
  readonly #makeId: () => string;
  #place: Place;
  /** Text that may be a mark's beginning. */
  #held = '';
  #scanner = new CallScanner();
  #announced = false;
  /** What stood before a bare object. */
  #before = '';
  #name = '';
  /** Its name stood before the object, which is the arguments. */
  #named = false;
  #hasArguments = false;
  #count = 0;
  #saidText = false;
  #events: AnswerEvent[] = [];

  /** @param names of the tools there are: a bare object is a call only of one of them */
  constructor(format: ToolFormat, names: Iterable<string>, makeId = (): string => callId(format.idLength)) {
    this.#format = format;
    this.#known = new Set(names);
    this.#makeId = makeId;
    this.#place = 'text';
  }

  /** Calls that were found so far. */
  get count(): number {
    return this.#count;
  }

  push(text: string): AnswerEvent[] {
    for (const char of text) this.#take(char);
    return this.#drain();
  }

  /** The answer has ended: what was held back is text. */
  finish(): AnswerEvent[] {
    if (this.#place === 'text' || !SEPARATORS.test(this.#held)) this.#say(this.#held);
    if (this.#place === 'name') this.#say(this.#name);
    // A call that breaks off before its name was told is text as well.
    if (this.#isCall && !this.#announced) this.#say(this.#before + this.#scanner.source);
    this.#held = '';
    return this.#drain();
  }

  get #isCall(): boolean {
    return this.#place === 'call' || this.#place === 'bare';
  }

  #drain(): AnswerEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #take(char: string): void {
    if (this.#place === 'text') return this.#takeText(char);
    if (this.#place === 'between') return this.#takeBetween(char);
    if (this.#place === 'name') return this.#takeName(char);
    this.#takeCall(char);
  }

  #takeText(char: string): void {
    const { begins, bare, atStart } = this.#format;
    this.#held += char;
    if (atStart && this.#saidText) {
      this.#say(this.#held);
      this.#held = '';
      return;
    }
    if (bare && !this.#saidText && this.#count === 0 && /^\s*[{[]$/.test(this.#held)) {
      if (char === '[') return;
      return this.#open('bare', char);
    }
    if (bare && !this.#saidText && /^\s*\[\s*\{$/.test(this.#held)) return this.#open('bare', char);
    // Blanks before a mark belong to nobody.
    const rest = this.#held.trimStart();
    if (begins.some((mark) => mark === rest)) {
      this.#held = '';
      this.#place = 'between';
      return;
    }
    const mayBe = rest === '' || (bare && !this.#saidText && /^\[\s*$/.test(rest));
    if (mayBe || begins.some((mark) => mark.startsWith(rest))) return;
    // The last character may begin a mark itself.
    const kept = lastStart(this.#held, begins);
    this.#say(this.#held.slice(0, this.#held.length - kept.length));
    this.#held = kept;
  }

  #takeBetween(char: string): void {
    const { begins, ends } = this.#format;
    if (char === '{') return this.#open('call', char);
    this.#held += char;
    const rest = this.#held.trim();
    if (ends.includes(rest)) {
      this.#held = '';
      this.#place = 'text';
      return;
    }
    if (begins.includes(rest)) {
      this.#held = '';
      return;
    }
    // What separates calls, unless a mark begins with it.
    if ([...begins, ...ends].some((mark) => mark.startsWith(rest))) return;
    if (SEPARATORS.test(rest)) {
      this.#held = '';
      return;
    }
    this.#name = this.#held;
    this.#held = '';
    this.#place = 'name';
  }

  /** `get_weather[ARGS]{`, `get_weather{`; anything that is no name is text. */
  #takeName(char: string): void {
    if (char === '{') {
      const name = this.#name.replace(/\[(?:ARGS|CALL_ID)\].*$/s, '').trim();
      if (this.#known.has(name)) return this.#openNamed(name, char);
    }
    this.#name += char;
    if (/^\s*[\w.-]*(?:\[[^{]*)?\s*$/.test(this.#name)) return;
    this.#place = 'text';
    this.#say(this.#name);
  }

  #takeCall(char: string): void {
    this.#scanner.push(char);
    if (this.#named) {
      this.#tellArguments(char);
    } else {
      this.#announce();
    }
    if (this.#scanner.done) this.#close();
  }

  #open(place: 'call' | 'bare', brace: string): void {
    this.#place = place;
    this.#scanner = new CallScanner();
    this.#announced = false;
    this.#named = false;
    this.#hasArguments = false;
    this.#before = place === 'bare' ? this.#held.slice(0, -1) : '';
    this.#held = '';
    this.#scanner.push(brace);
  }

  #openNamed(name: string, brace: string): void {
    this.#open('call', brace);
    this.#named = true;
    this.#begin(name);
    this.#tellArguments(brace);
  }

  #announce(): void {
    const { name } = this.#scanner;
    if (name === undefined) return;
    if (!this.#announced) {
      if (this.#place === 'bare' && !this.#known.has(name)) return;
      this.#begin(name);
    }
    this.#tellArguments(this.#scanner.takeArguments());
  }

  #begin(name: string): void {
    this.#announced = true;
    this.#count += 1;
    this.#tell({ type: 'call', index: this.#count - 1, id: this.#makeId(), name });
  }

  #close(): void {
    const wasBare = this.#place === 'bare' && !this.#announced;
    // Tools without parameters are called without arguments, which on the wire are an empty object.
    if (this.#announced && !this.#hasArguments) this.#tellArguments('{}');
    if (!this.#announced) this.#say(this.#before + this.#scanner.source);
    this.#place = wasBare ? 'text' : 'between';
  }

  #tellArguments(text: string): void {
    if (text === '') return;
    this.#hasArguments = true;
    this.#tell({ type: 'arguments', index: this.#count - 1, text });
  }

  #say(text: string): void {
    if (text === '') return;
    this.#saidText = true;
    this.#tell({ type: 'text', text });
  }

  /** Characters come one by one; what belongs together goes out together. */
  #tell(event: AnswerEvent): void {
    const last = this.#events.at(-1);
    const joins =
      (event.type === 'text' && last?.type === 'text') ||
      (event.type === 'arguments' && last?.type === 'arguments' && last.index === event.index);
    if (joins) this.#events[this.#events.length - 1] = { ...last, text: last.text + event.text };
    else this.#events.push(event);
  }
}

/** The end of `text`, blanks before it included, that may go on to be one of the marks; '' where there is none. */
function lastStart(text: string, marks: readonly string[]): string {
  for (let at = 1; at < text.length; at++) {
    const rest = text.slice(at).trimStart();
    if (rest === '' || marks.some((mark) => mark.startsWith(rest))) return text.slice(at);
  }
  return '';
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function callId(length: number): string {
  const random = crypto.getRandomValues(new Uint8Array(length));
  const id = Array.from(random, (byte) => ALPHABET[byte % ALPHABET.length]!).join('');
  return length < 10 ? id : `call_${id}`;
}
