/** Reading single keywords of a schema, which anybody may have written. */
import { SchemaError } from './errors';
import { isBounded, numberRange } from './numbers';
import type { Place, Schema } from './schema';

/** A repetition beyond this costs more than anybody's answer is worth. */
export const MOST_REPEATED = 4096;

/** A number within the bounds of its schema. */
export function number(schema: Schema, type: 'number' | 'integer', { path }: Place): string {
  const limit = (name: string): number | undefined => numeric(schema, name, path);
  // Draft 4 had flags here, which make the bounds beside them strict.
  const strictly = (name: string): boolean => schema[name] === true;
  const [min, max] = [limit('minimum'), limit('maximum')];
  const [above, below] = [
    strictly('exclusiveMinimum') ? min : limit('exclusiveMinimum'),
    strictly('exclusiveMaximum') ? max : limit('exclusiveMaximum'),
  ];
  const bounds = {
    min: min ?? -Infinity,
    max: max ?? Infinity,
    above: above ?? -Infinity,
    below: below ?? Infinity,
    multipleOf: limit('multipleOf'),
  };
  return isBounded(bounds) ? numberRange(bounds, type === 'integer', path) : type;
}

function numeric(schema: Schema, name: string, path: string): number | undefined {
  const value = schema[name];
  if (value === undefined || typeof value === 'boolean') return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new SchemaError(`${path}.${name}`, 'expected a number');
}

export function count(schema: Schema, name: string, path: string): number | undefined {
  const value = numeric(schema, name, path);
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new SchemaError(`${path}.${name}`, 'expected a whole number from 0');
}

export function most(max: number): number {
  return max === Infinity ? Infinity : Math.min(max, MOST_REPEATED);
}

export function requiredOf(schema: Schema, path: string): string[] {
  const { required } = schema;
  if (required === undefined) return [];
  if (Array.isArray(required) && required.every((name) => typeof name === 'string')) return required;
  throw new SchemaError(`${path}.required`, 'expected a list of names');
}

/** The first items one by one, and what the others are: before 2020, a list in `items` was the first ones. */
export function itemsOf({ prefixItems, items, additionalItems }: Schema): { first: readonly unknown[]; rest: unknown } {
  if (Array.isArray(items)) return { first: items, rest: additionalItems ?? true };
  return { first: Array.isArray(prefixItems) ? prefixItems : [], rest: items ?? true };
}
