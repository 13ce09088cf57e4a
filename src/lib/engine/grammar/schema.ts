/**
 * JSON schemas without their algebra: references followed, `allOf` merged, `anyOf` and `oneOf` as alternatives. What
 * cannot be held while tokens are drawn is refused by its path; what is a note (`title`, `default`, ...) is dropped.
 */
import { SchemaError } from './errors';

export type Schema = Readonly<Record<string, unknown>>;

/** Where a schema stands, for messages, and the document that its references are of. */
export interface Place {
  readonly path: string;
  readonly document: unknown;
}

const JSON_TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const;
export type JsonType = (typeof JSON_TYPES)[number];

/** Would have to be checked against the whole answer, when it is too late. */
const REFUSED = [
  'not',
  'if',
  'then',
  'else',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'contains',
  'propertyNames',
  'unevaluatedItems',
  '$dynamicRef',
  '$recursiveRef',
];
/** Merging of references that never ends. */
const DEEPEST = 48;
const MOST_ALTERNATIVES = 256;

/** What two schemas together say, by keyword; the others have to be the same. */
const MERGES: Readonly<Record<string, (a: unknown, b: unknown) => unknown>> = {
  type: (a, b) => {
    const [left, right] = [listOf(a), listOf(b)];
    const both = left.filter((type) => right.includes(type) || (type === 'integer' && right.includes('number')));
    const added = right.filter((type) => type === 'integer' && left.includes('number'));
    return nonEmpty([...new Set([...both, ...added])]);
  },
  enum: (a, b) => nonEmpty((a as unknown[]).filter((value) => includes(b as unknown[], value))),
  required: (a, b) => [...new Set([...(a as string[]), ...(b as string[])])],
  properties: (a, b) => mergeProperties(a as Schema, b as Schema),
  items: (a, b) => ({ allOf: [a, b] }),
  additionalProperties: (a, b) =>
    a === true ? b : b === true ? a : a === false || b === false ? false : { allOf: [a, b] },
  minimum: (a, b) => Math.max(a as number, b as number),
  maximum: (a, b) => Math.min(a as number, b as number),
  exclusiveMinimum: (a, b) => Math.max(a as number, b as number),
  exclusiveMaximum: (a, b) => Math.min(a as number, b as number),
  minLength: (a, b) => Math.max(a as number, b as number),
  maxLength: (a, b) => Math.min(a as number, b as number),
  minItems: (a, b) => Math.max(a as number, b as number),
  maxItems: (a, b) => Math.min(a as number, b as number),
  minProperties: (a, b) => Math.max(a as number, b as number),
  maxProperties: (a, b) => Math.min(a as number, b as number),
  unevaluatedProperties: (a, b) => a === true && b,
};

/** Notes, and what was read before schemas are merged. */
const NOTES: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  'example',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$comment',
  '$schema',
  '$id',
  'id',
  '$anchor',
  '$defs',
  'definitions',
  'contentMediaType',
  'contentEncoding',
  'nullable',
  'discriminator',
  'xml',
  'externalDocs',
]);

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The alternatives of a schema, each without references and without algebra. An empty list: nothing is valid. */
export function flatten(schema: unknown, place: Place, depth = 0): Schema[] {
  if (schema === true || schema === undefined) return [{}];
  if (schema === false) return [];
  if (!isSchema(schema)) throw new SchemaError(place.path, 'is no JSON schema: expected an object, true or false');
  if (depth > DEEPEST) throw new SchemaError(place.path, 'refers to itself without end');
  const { $ref, allOf, anyOf, oneOf, ...rest } = schema;
  const into = (part: unknown, name: string): Schema[] =>
    flatten(part, { ...place, path: `${place.path}.${name}` }, depth + 1);
  const groups: Schema[][] = [[withoutNotes(rest)]];
  if ($ref !== undefined) groups.push(flatten(lookUp($ref, place), place, depth + 1));
  for (const [i, part] of partsOf(allOf, 'allOf', place).entries()) groups.push(into(part, `allOf[${i}]`));
  if (anyOf !== undefined) groups.push(partsOf(anyOf, 'anyOf', place).flatMap((part, i) => into(part, `anyOf[${i}]`)));
  const merged = groups.reduce((all, group) => combine(all, group, place));
  const chosen =
    oneOf === undefined
      ? merged
      : exclusive(
          merged,
          partsOf(oneOf, 'oneOf', place).map((part, i) => into(part, `oneOf[${i}]`)),
          place,
        );
  return chosen.map(close);
}

/** What a local reference points to. */
export function lookUp(reference: unknown, { path, document }: Place): unknown {
  const text = typeof reference === 'string' ? reference : '';
  if (!/^#(?:\/|$)/.test(text)) throw new SchemaError(`${path}.$ref`, `«${text}» does not point into this schema`);
  const steps = text
    .slice(1)
    .split('/')
    .slice(1)
    .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'));
  return steps.reduce<unknown>((at, step) => {
    const found = typeof at === 'object' && at !== null && Object.hasOwn(at, step) ? (at as Schema)[step] : undefined;
    if (found === undefined) throw new SchemaError(`${path}.$ref`, `there is nothing at «${text}»`);
    return found;
  }, document);
}

/** Throws for what a flat schema may not say. */
export function refuseKeywords(schema: Schema, path: string): void {
  const refused = REFUSED.find((name) => name in schema && !(name === 'unevaluatedItems' && schema[name] === true));
  if (refused !== undefined)
    throw new SchemaError(`${path}.${refused}`, 'cannot be held while an answer is written; leave it out');
}

/** The types that it may have. Where it says none, those that its other keywords speak of. */
export function typesOf(schema: Schema, path: string): JsonType[] {
  const told = schema.type === undefined ? impliedTypes(schema) : listOf(schema.type);
  const wrong = told.find((type) => !JSON_TYPES.includes(type as JsonType));
  if (wrong !== undefined) throw new SchemaError(`${path}.type`, `«${JSON.stringify(wrong)}» is no JSON type`);
  return told as JsonType[];
}

function impliedTypes(schema: Schema): JsonType[] {
  const says = (...names: string[]): boolean => names.some((name) => name in schema);
  const types: JsonType[] = [];
  if (says('properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties', 'maxProperties'))
    types.push('object');
  if (says('items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems')) types.push('array');
  if (says('minLength', 'maxLength', 'pattern', 'format')) types.push('string');
  if (says('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf')) types.push('number');
  return types;
}

// ---- merging ---------------------------------------------------------------------------------------------------

function combine(left: readonly Schema[], right: readonly Schema[], { path }: Place): Schema[] {
  if (left.length * right.length > MOST_ALTERNATIVES)
    throw new SchemaError(path, `has more than ${MOST_ALTERNATIVES} alternatives`);
  const all = left.flatMap((a) => right.map((b) => merge(a, b, path)));
  return all.filter((schema): schema is Schema => schema !== undefined);
}

/** Undefined where nothing is valid by both. */
function merge(a: Schema, b: Schema, path: string): Schema | undefined {
  const merged: Record<string, unknown> = { ...a };
  try {
    for (const [name, value] of Object.entries(b)) {
      merged[name] = name in a ? mergeKeyword(name, a[name], value, path) : value;
    }
  } catch (error) {
    if (error instanceof Unsatisfiable) return undefined;
    throw error;
  }
  return withClosed(merged, a, b);
}

function mergeKeyword(name: string, a: unknown, b: unknown, path: string): unknown {
  const how = MERGES[name];
  if (how) return how(a, b);
  if (same(a, b)) return a;
  if (name === 'const') throw new Unsatisfiable();
  throw new SchemaError(`${path}.${name}`, 'is there twice through «allOf» or «$ref», and both cannot be held at once');
}

/** Properties that one of the two forbids are not there, whatever the other says of them. */
function withClosed(merged: Record<string, unknown>, a: Schema, b: Schema): Schema {
  const closed = [a, b].filter((one) => one.additionalProperties === false && !('patternProperties' in one));
  if (closed.length === 0 || !isSchema(merged.properties)) return merged;
  const allowed = Object.entries(merged.properties).map(([name, schema]) => {
    const fits = closed.every((one) => isSchema(one.properties) && Object.hasOwn(one.properties, name));
    return [name, fits ? schema : false];
  });
  return { ...merged, properties: Object.fromEntries(allowed) };
}

function mergeProperties(a: Schema, b: Schema): Schema {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const both = (name: string): unknown => {
    if (!Object.hasOwn(a, name)) return b[name];
    return Object.hasOwn(b, name) && !same(a[name], b[name]) ? { allOf: [a[name], b[name]] } : a[name];
  };
  return Object.fromEntries(names.map((name) => [name, both(name)]));
}

/** Nothing is valid by both. */
class Unsatisfiable extends Error {}

function nonEmpty<T>(list: T[]): T[] {
  if (list.length === 0) throw new Unsatisfiable();
  return list;
}

/** `unevaluatedProperties: false` where everything is merged: what is not declared is not there. */
function close({ unevaluatedProperties, ...schema }: Schema): Schema {
  return unevaluatedProperties === false ? { ...schema, additionalProperties: false } : schema;
}

// ---- oneOf -----------------------------------------------------------------------------------------------------

/** `oneOf` is `anyOf` where no two of its branches can hold at once; that has to be seen from the schemas. */
function exclusive(base: readonly Schema[], branches: readonly Schema[][], place: Place): Schema[] {
  const full = branches.map((branch) => combine(base, branch, place));
  for (const [i, some] of full.entries()) {
    for (const [j, others] of full.entries()) {
      if (i === j || some.every((a) => others.every((b) => excludes(a, b, place, 0)))) continue;
      const why = `branches ${i} and ${j} may both hold, and only one of them may: use «anyOf»`;
      throw new SchemaError(`${place.path}.oneOf`, why);
    }
  }
  return full.flat();
}

/** Whether nothing that is written by `a` is valid by `b`. */
function excludes(a: Schema, b: Schema, place: Place, depth: number): boolean {
  const [values, others] = [valuesOf(a), valuesOf(b)];
  if (values && others) return !values.some((value) => includes(others, value));
  const [types, otherTypes] = [typesOf(a, place.path), typesOf(b, place.path)];
  const fits = (value: unknown, some: readonly JsonType[]): boolean => some.some((type) => isOfType(value, type));
  if (values && otherTypes.length > 0) return !values.some((value) => fits(value, otherTypes));
  if (others && types.length > 0) return !others.some((value) => fits(value, types));
  if (types.length === 0 || otherTypes.length === 0 || depth > 3) return false;
  const shared = types.filter((type) =>
    otherTypes.some((other) => other === type || [type, other].sort().join() === 'integer,number'),
  );
  return shared.every((type) => type === 'object' && objectsExclude(a, b, place, depth));
}

function objectsExclude(a: Schema, b: Schema, place: Place, depth: number): boolean {
  const [mine, theirs] = [propertiesOf(a), propertiesOf(b)];
  const required = a.required === undefined ? [] : (a.required as string[]);
  const theirRequired = b.required === undefined ? [] : (b.required as string[]);
  // Where properties are declared, no others are written (schema-grammar.ts).
  const isClosed =
    Object.keys(mine).length > 0 && (a.additionalProperties === undefined || a.additionalProperties === false);
  if (isClosed && theirRequired.some((name) => !Object.hasOwn(mine, name) && !required.includes(name))) return true;
  if (
    b.additionalProperties === false &&
    !('patternProperties' in b) &&
    required.some((name) => !Object.hasOwn(theirs, name))
  )
    return true;
  return required.some((name) => {
    if (!Object.hasOwn(mine, name) || !Object.hasOwn(theirs, name)) return false;
    const [left, right] = [flatten(mine[name], place), flatten(theirs[name], place)];
    return left.every((one) => right.every((other) => excludes(one, other, place, depth + 1)));
  });
}

// ---- values ----------------------------------------------------------------------------------------------------

/** All values that an `enum` or a `const` allows; undefined where neither is there. */
export function valuesOf(schema: Schema): unknown[] | undefined {
  const listed = Array.isArray(schema.enum) ? (schema.enum as unknown[]) : undefined;
  if (!('const' in schema)) return listed;
  return !listed || includes(listed, schema.const) ? [schema.const] : [];
}

export function isOfType(value: unknown, type: JsonType): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isSchema(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

export function propertiesOf(schema: Schema): Schema {
  return isSchema(schema.properties) ? schema.properties : {};
}

function withoutNotes(schema: Schema): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !NOTES.has(name)));
}

function partsOf(value: unknown, name: string, { path }: Place): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.length > 0) return value;
  throw new SchemaError(`${path}.${name}`, 'expected a list of schemas');
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

function includes(list: readonly unknown[], value: unknown): boolean {
  return list.some((one) => same(one, value));
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
