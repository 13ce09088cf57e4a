/**
 * One call of a tool as it comes, character by character: `{"name": "x", "arguments": {...}}`. Tells the name as soon as
 * it stands there, and the text of the arguments as it arrives; a call whose arguments come first tells them at its end.
 */
const ARGUMENTS: ReadonlySet<string> = new Set(['arguments', 'parameters']);

/** Follows one JSON value without reading it. */
class Nesting {
  #depth = 0;
  #inText = false;
  #escaped = false;

  get depth(): number {
    return this.#depth;
  }

  get inText(): boolean {
    return this.#inText;
  }

  push(char: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (this.#inText) {
      if (char === '\\') this.#escaped = true;
      else if (char === '"') this.#inText = false;
    } else if (char === '"') this.#inText = true;
    else if (char === '{' || char === '[') this.#depth += 1;
    else if (char === '}' || char === ']') this.#depth -= 1;
  }
}

export class CallScanner {
  readonly #nesting = new Nesting();
  /** What was read, in case that it is no call. */
  #source = '';
  #name: string | undefined;
  #key: string | undefined;
  /** A key or a value of the object itself that is being read. */
  #piece = '';
  #inValue = false;
  #arguments = '';
  #told = 0;

  get source(): string {
    return this.#source;
  }

  get name(): string | undefined {
    return this.#name;
  }

  get done(): boolean {
    return this.#source !== '' && this.#nesting.depth === 0 && !this.#nesting.inText;
  }

  /** Arguments that were not told yet; '' until the name is known. */
  takeArguments(): string {
    if (this.#name === undefined) return '';
    const fresh = this.#arguments.slice(this.#told);
    this.#told = this.#arguments.length;
    return fresh;
  }

  /** The next character; the first is the object's brace. */
  push(char: string): void {
    this.#source += char;
    const { depth, inText } = this.#nesting;
    this.#nesting.push(char);
    if (depth === 0) return;
    if (depth === 1 && !inText && (char === ':' || char === ',' || char === '}')) this.#endPiece(char);
    else this.#extendPiece(char);
  }

  #extendPiece(char: string): void {
    if (this.#piece === '' && /\s/.test(char)) return;
    this.#piece += char;
    if (this.#inValue && ARGUMENTS.has(this.#key ?? '') && !/\s/.test(char)) this.#arguments = this.#piece;
  }

  #endPiece(char: string): void {
    const piece = this.#piece.trimEnd();
    if (!this.#inValue && char === ':') {
      this.#key = textOf(piece);
      this.#inValue = true;
    } else if (this.#inValue) {
      if (this.#key === 'name') this.#name = textOf(piece);
      else if (ARGUMENTS.has(this.#key ?? '')) this.#arguments = piece;
      this.#inValue = false;
    }
    this.#piece = '';
  }
}

/** A JSON text's value; undefined for what is none. */
function textOf(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
