/** Typed reads of a JSON object from strangers; what is missing or of another kind is a FormatError that names it. */
import { FormatError } from './errors';
import { isJsonObject } from './json';
import type { Json, JsonObject } from './json';

export class Fields {
  /** @param inside what stands before the field's name in errors */
  constructor(
    private readonly json: JsonObject,
    private readonly file: string,
    private readonly inside = '',
  ) {}

  /** Whether the field is set: `null` is how these files say that it is not. */
  has(name: string): boolean {
    return (this.json[name] ?? undefined) !== undefined;
  }

  text(name: string, fallback?: string): string {
    return this.#read(name, fallback, 'text', (value): value is string => typeof value === 'string');
  }

  flag(name: string, fallback?: boolean): boolean {
    return this.#read(name, fallback, 'true or false', (value): value is boolean => typeof value === 'boolean');
  }

  number(name: string, fallback?: number): number {
    return this.#read(name, fallback, 'number', isNumber);
  }

  count(name: string, fallback?: number): number {
    return this.#read(name, fallback, 'whole number, not negative', isCount);
  }

  /** What is divided by, or raised to a power. */
  positive(name: string, fallback?: number): number {
    return this.#read(name, fallback, 'number above 0', isPositive);
  }

  /** A count of what there is at least one of. */
  size(name: string, fallback?: number, most = Infinity): number {
    const wanted = `whole number from 1${most < Infinity ? ` to ${most}` : ''}`;
    return this.#read(name, fallback, wanted, (value): value is number => isCount(value) && value > 0 && value <= most);
  }

  /** @param length how many there have to be, at least */
  numbers(name: string, length = 0): readonly number[] {
    return this.#read(
      name,
      undefined,
      `list of ${length || 'all its'} numbers`,
      (value): value is number[] => Array.isArray(value) && value.length >= length && value.every(isNumber),
    );
  }

  /** Exactly so many numbers above 0. */
  positives(name: string, length: number): readonly number[] {
    return this.#read(
      name,
      undefined,
      `list of ${length} numbers above 0`,
      (value): value is number[] => Array.isArray(value) && value.length === length && value.every(isPositive),
    );
  }

  texts(name: string, length = 0): readonly string[] {
    return this.#read(
      name,
      undefined,
      `list of ${length || 'all its'} texts`,
      (value): value is string[] =>
        Array.isArray(value) && value.length >= length && value.every((one) => typeof one === 'string'),
    );
  }

  /** The fields of an object in this one; undefined where it is not set. */
  object(name: string): Fields | undefined {
    if (!this.has(name)) return undefined;
    const object = this.#read(name, undefined, 'object', (value): value is JsonObject => isJsonObject(value));
    return new Fields(object, this.file, `${this.inside}${name}.`);
  }

  empty(): Fields {
    return new Fields({}, this.file, this.inside);
  }

  refuse(name: string, found: string): never {
    throw new FormatError(this.file, 'unsupported', this.inside + name, `the model has ${found}`);
  }

  #read<T extends Json>(name: string, fallback: T | undefined, wanted: string, fits: (value: Json) => value is T): T {
    const value = this.json[name] ?? fallback;
    const field = this.inside + name;
    if (value === undefined) throw new FormatError(this.file, 'missing', field, `there is no «${field}».`);
    if (fits(value)) return value;
    throw new FormatError(this.file, 'malformed', field, `«${field}» is no ${wanted}.`);
  }
}

/** JSON spells infinity too: 1e999. */
function isNumber(value: Json): value is number {
  return Number.isFinite(value);
}

function isPositive(value: Json): value is number {
  return isNumber(value) && value > 0;
}

function isCount(value: Json): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
