/**
 * Reads a request's body field by field. Each complaint names the field by its path; a field that nobody has read is
 * refused by name in the end, so that none is ever ignored. `null` counts as not there, as with OpenAI.
 */
import { invalid, unsupported } from './errors';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export class Fields {
  readonly #object: JsonObject;
  readonly #path: string;
  readonly #read = new Set<string>();

  /** @param path of the object in the body; '' for the body itself */
  constructor(value: unknown, path: string) {
    if (!isObject(value)) throw invalid(path || 'body', `is ${kindOf(value)}; expected an object`, 'invalid_type');
    this.#object = value;
    this.#path = path;
  }

  /** The path of one of its fields, for messages. */
  at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  /** The field as it is; undefined where it is not there. */
  raw(name: string): unknown {
    this.#read.add(name);
    return Object.hasOwn(this.#object, name) ? (this.#object[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    return this.#typed(name, 'a string', (value) => typeof value === 'string');
  }

  requiredText(name: string): string {
    return this.#required(name, this.text(name));
  }

  flag(name: string): boolean | undefined {
    return this.#typed(name, 'true or false', (value) => typeof value === 'boolean');
  }

  number(name: string, least: number, most: number): number | undefined {
    const value = this.#typed(name, 'a number', (given): given is number => Number.isFinite(given));
    return value === undefined ? undefined : this.#inRange(name, value, least, most);
  }

  whole(name: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.#typed(name, 'a whole number', (given): given is number => Number.isSafeInteger(given));
    return value === undefined ? undefined : this.#inRange(name, value, least, most);
  }

  list(name: string): readonly unknown[] | undefined {
    return this.#typed(name, 'a list', (value): value is unknown[] => Array.isArray(value));
  }

  requiredList(name: string): readonly unknown[] {
    return this.#required(name, this.list(name));
  }

  object(name: string): Fields | undefined {
    const value = this.raw(name);
    return value === undefined ? undefined : new Fields(value, this.at(name));
  }

  requiredObject(name: string): Fields {
    return this.#required(name, this.object(name));
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T | undefined {
    const value = this.raw(name);
    const found = known.find((one) => one === value);
    if (value === undefined || found !== undefined) return found;
    throw invalid(this.at(name), `is ${kindOf(value)}; expected ${known.map((one) => `«${one}»`).join(' or ')}`);
  }

  /** A field that changes nothing with one of these values, and cannot be had with any other. */
  only(name: string, values: readonly unknown[], why: string): void {
    const value = this.raw(name);
    if (value === undefined) return;
    const same = (one: unknown): boolean => JSON.stringify(one) === JSON.stringify(value);
    if (!values.some(same)) throw unsupported(this.at(name), why);
  }

  /** Fields that say something about the request and ask for nothing. */
  labels(...names: readonly string[]): void {
    for (const name of names) this.text(name);
  }

  /** To be called last. */
  refuseOthers(): void {
    const names = Object.keys(this.#object).filter((name) => this.#object[name] !== null);
    const unknown = names.find((name) => !this.#read.has(name));
    if (unknown === undefined) return;
    throw unsupported(this.at(unknown), 'is not supported here. Nothing is ignored: leave it out.');
  }

  #typed<T>(name: string, expected: string, fits: (value: unknown) => value is T): T | undefined {
    const value = this.raw(name);
    if (value === undefined || fits(value)) return value;
    throw invalid(this.at(name), `is ${kindOf(value)}; expected ${expected}`, 'invalid_type');
  }

  #inRange(name: string, value: number, least: number, most: number): number {
    if (value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    throw invalid(this.at(name), `is ${value}; expected a number ${range}`);
  }

  #required<T>(name: string, value: T | undefined): T {
    if (value === undefined) throw invalid(this.at(name), 'is missing', 'missing_required_parameter');
    return value;
  }
}

export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `«${value.slice(0, 40)}»`;
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}
