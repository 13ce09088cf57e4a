/**
 * A grammar whose every text is valid by a JSON schema: not every valid text is one of it. Properties come in the order
 * of the schema, and where a schema declares some, no others are written unless it says `additionalProperties`.
 */
import { anyChars, either, JSON_RULES, literal, repeated, charClass, complement, type Range } from './ebnf';
import { SchemaError } from './errors';
import { count, itemsOf, most, MOST_REPEATED, number, requiredOf } from './keywords';
import { FORMATS, patternString } from './patterns';
import {
  flatten,
  isOfType,
  isSchema,
  lookUp,
  propertiesOf,
  refuseKeywords,
  typesOf,
  valuesOf,
  type JsonType,
  type Place,
  type Schema,
} from './schema';

/** Rules of one grammar: hostile schemas end here. */
const MOST_RULES = 20_000;
/** Schemas within schemas. */
const DEEPEST = 100;

export class SchemaGrammar {
  readonly #rules = new Map<string, string>();
  /** The rule of each schema that is referred to, by document: schemas may refer to themselves. */
  readonly #references = new Map<unknown, Map<string, string>>();

  /** The rules of schemas that were written, or are being written. */
  readonly #written = new Map<Schema, string>();
  #depth = 0;

  /** Adds a rule, and returns its name. */
  rule(name: string, expression: string): string {
    this.#rules.set(name, expression);
    return name;
  }

  /** The rule for a schema; its references are of itself. */
  schema(schema: unknown, path: string): string {
    return this.#schema(schema, { path, document: schema });
  }

  /** @param root what the whole text is */
  toEbnf(root: string): string {
    const rules = { root, ...JSON_RULES, ...Object.fromEntries(this.#rules) };
    return Object.entries(rules)
      .map(([name, expression]) => `${name} ::= ${expression}\n`)
      .join('');
  }

  #schema(schema: unknown, place: Place): string {
    if (!isSchema(schema) || schema.$ref === undefined) return this.#alternatives(schema, place);
    const others = Object.keys(schema).filter((name) => name !== '$ref' && !isNote(name));
    if (others.length > 0) return this.#alternatives(schema, place);
    const known = this.#references.get(place.document) ?? new Map<string, string>();
    this.#references.set(place.document, known);
    const reference = JSON.stringify(schema.$ref);
    const name = known.get(reference) ?? `ref${this.#rules.size}`;
    if (known.has(reference)) return name;
    known.set(reference, name);
    // Holds the name while the schema is read, which may need it.
    this.rule(name, '""');
    const target = this.#schema(lookUp(schema.$ref, place), place);
    if (target === name) throw new SchemaError(place.path, 'refers to itself and nothing else');
    return this.rule(name, target);
  }

  #alternatives(schema: unknown, place: Place): string {
    const known = isSchema(schema) ? this.#written.get(schema) : undefined;
    if (known !== undefined) return known;
    const flat = flatten(schema, place);
    if (flat.length === 0) throw new SchemaError(place.path, 'nothing is valid by this schema');
    if (this.#depth > DEEPEST) throw new SchemaError(place.path, `is nested more than ${DEEPEST} levels deep`);
    // Holds the name while the schema is written, since it may come again inside of itself.
    const name = this.#named('"" "holds the name"');
    if (isSchema(schema)) this.#written.set(schema, name);
    this.#depth += 1;
    this.rule(name, either(flat.map((one) => this.#flat(one, place))));
    this.#depth -= 1;
    return name;
  }

  #flat(schema: Schema, place: Place): string {
    refuseKeywords(schema, place.path);
    const types = typesOf(schema, place.path);
    const values = valuesOf(schema);
    if (values) {
      const fitting =
        schema.type === undefined ? values : values.filter((value) => types.some((type) => isOfType(value, type)));
      if (fitting.length === 0) throw new SchemaError(place.path, 'none of its values is of its type');
      return either(fitting.map((value) => literal(JSON.stringify(value))));
    }
    if (types.length === 0) return 'value';
    // Every integer is a number.
    const distinct = types.filter((type) => type !== 'integer' || !types.includes('number'));
    return either(distinct.map((type) => this.#typed(type, schema, place)));
  }

  #typed(type: JsonType, schema: Schema, place: Place): string {
    if (type === 'object') return this.#object(schema, place);
    if (type === 'array') return this.#array(schema, place);
    if (type === 'string') return this.#string(schema, place);
    if (type === 'number' || type === 'integer') return number(schema, type, place);
    return type;
  }

  /** A long expression as a rule of its own; short ones stay. */
  #named(expression: string): string {
    if (expression.length < 24 && !/[ |]/.test(expression)) return expression;
    if (this.#rules.size >= MOST_RULES) throw new SchemaError('schema', `needs more than ${MOST_RULES} rules`);
    return this.rule(`r${this.#rules.size}`, expression);
  }

  // ---- strings -------------------------------------------------------------------------------------------------

  #string(schema: Schema, { path }: Place): string {
    const min = count(schema, 'minLength', path) ?? 0;
    const max = count(schema, 'maxLength', path) ?? Infinity;
    if (min > max) throw new SchemaError(`${path}.minLength`, 'is more than «maxLength»');
    const { pattern, format } = schema;
    const known = typeof format === 'string' && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (typeof pattern === 'string' && known !== undefined) {
      throw new SchemaError(`${path}.pattern`, `cannot be held together with the format «${String(format)}»`);
    }
    if (typeof pattern === 'string') return this.#named(patternString(pattern, `${path}.pattern`, { min, max }));
    if (known !== undefined) return this.#format(known, `${path}.format`, min, max);
    if (min === 0 && max === Infinity) return 'string';
    // What takes no more than thousands of characters may be written with fewer of them.
    const most = max > MOST_REPEATED ? Math.max(min, MOST_REPEATED) : max;
    return `"\\"" ${anyChars(min, max === Infinity ? Infinity : most)} "\\""`;
  }

  /** Formats are held in forms of a bounded length where the schema bounds it. */
  #format(pattern: string, path: string, min: number, max: number): string {
    const name = `format${Object.values(FORMATS).indexOf(pattern)}`;
    if (min <= 1 && max >= 2000) {
      if (!this.#rules.has(name)) this.rule(name, patternString(pattern, path, { min: 0, max: Infinity }));
      return name;
    }
    return patternString(pattern, path, { min, max });
  }

  // ---- arrays --------------------------------------------------------------------------------------------------

  #array(schema: Schema, place: Place): string {
    const { path } = place;
    if (schema.uniqueItems === true) return this.#distinct(schema, place);
    const min = count(schema, 'minItems', path) ?? 0;
    const max = count(schema, 'maxItems', path) ?? Infinity;
    if (min > max) throw new SchemaError(`${path}.minItems`, 'is more than «maxItems»');
    const { first, rest } = itemsOf(schema);
    const prefix = first
      .slice(0, max)
      .map((item, i) => this.#schema(item, { ...place, path: `${path}.prefixItems[${i}]` }));
    if (rest === false && min > prefix.length) throw new SchemaError(path, 'wants more items than it allows');
    const more =
      rest === false || max <= prefix.length ? undefined : this.#schema(rest, { ...place, path: `${path}.items` });
    return `"[" ws ${this.#items(prefix, more, min, max)} "]"`;
  }

  /** Items with commas between them, of which the first `min` have to be there. */
  #items(prefix: readonly string[], more: string | undefined, min: number, max: number): string {
    const [head, ...tail] = prefix;
    if (head === undefined) {
      if (more === undefined || max === 0) return '';
      const others = repeated(
        this.#named(`ws "," ws ${more}`),
        Math.max(0, min - 1),
        Math.min(max - 1, Math.max(min, most(max))),
      );
      const list = max === 1 ? `${more} ws` : `${more} ${others} ws`;
      return min === 0 ? `(${list})?` : list;
    }
    const following = this.#following(tail, more, min - 1, max - 1);
    const list = `${head} ${following} ws`;
    return min > 0 ? list : `(${list})?`;
  }

  #following([head, ...tail]: readonly string[], more: string | undefined, min: number, max: number): string {
    if (head === undefined) {
      if (more === undefined || max <= 0) return '';
      return repeated(this.#named(`ws "," ws ${more}`), Math.max(0, min), Math.min(max, Math.max(min, most(max))));
    }
    const list = this.#named(`ws "," ws ${head} ${this.#following(tail, more, min - 1, max - 1)}`);
    return min > 0 ? list : `${list}?`;
  }

  /** Items of which none may come twice: of a list of values they come in its order, each once at most. */
  #distinct(schema: Schema, place: Place): string {
    const { path } = place;
    const [only, ...others] = flatten(itemsOf(schema).rest, { ...place, path: `${path}.items` });
    const values = only && others.length === 0 ? valuesOf(only) : undefined;
    if (count(schema, 'maxItems', path) === 1) return this.#array({ ...schema, uniqueItems: false }, place);
    if (!values)
      throw new SchemaError(`${path}.uniqueItems`, 'cannot be held, but for items out of an «enum»; leave it out');
    const names = values.map((value) => literal(JSON.stringify(value)));
    const min = count(schema, 'minItems', path) ?? 0;
    const max = count(schema, 'maxItems', path) ?? Infinity;
    if (min > names.length) throw new SchemaError(`${path}.minItems`, 'is more than there are different items');
    return `"[" ws ${this.#subset(names, min, Math.min(max, names.length))} "]"`;
  }

  #subset(names: readonly string[], min: number, max: number): string {
    const rules = new Map<string, string>();
    // What may follow, where `taken` items were written and the next may be names[at].
    const after = (at: number, taken: number): string => {
      if (at === names.length || taken === max) return '""';
      const key = `${at},${taken}`;
      const known = rules.get(key);
      if (known !== undefined) return known;
      const comma = taken === 0 ? '' : 'ws "," ws ';
      const enough = (left: number): boolean => taken + left >= min;
      const takes = names.slice(at).map((name, i) => ({ name, next: at + i + 1 }));
      const choices = takes
        .filter(({ next }) => enough(names.length - next + 1))
        .map(({ name, next }) => `${comma}${name} ${after(next, taken + 1)}`);
      const rule = this.#named(`(${[...(taken >= min ? ['""'] : []), ...choices].join(' | ')})`);
      rules.set(key, rule);
      return rule;
    };
    return `${after(0, 0)} ws`;
  }

  // ---- objects -------------------------------------------------------------------------------------------------

  #object(schema: Schema, place: Place): string {
    const { path } = place;
    const properties = propertiesOf(schema);
    const required = requiredOf(schema, path);
    const names = [...Object.keys(properties), ...required.filter((name) => !Object.hasOwn(properties, name))];
    const extra = this.#extra(schema, names, place);
    const min = count(schema, 'minProperties', path) ?? 0;
    const max = count(schema, 'maxProperties', path) ?? Infinity;
    const pairs = names.flatMap((name) => {
      const declared = this.#declared(schema, name);
      if (declared === false && !required.includes(name)) return [];
      const value = this.#schema(declared, { ...place, path: `${path}.properties.${name}` });
      return [
        { pair: this.#named(`${literal(JSON.stringify(name))} ws ":" ws ${value}`), required: required.includes(name) },
      ];
    });
    const needed = pairs.filter((pair) => pair.required).length;
    if (needed > max) throw new SchemaError(`${path}.maxProperties`, 'is less than the properties that are required');
    if (min <= needed && max >= pairs.length && !extra) return this.#pairs(pairs, undefined, 0, 0);
    return this.#counted(pairs, extra, { needed, min, max }, path);
  }

  /** With bounds on how many: as many of the optional ones as are needed become required, or are left out. */
  #counted(
    pairs: readonly { pair: string; required: boolean }[],
    extra: string | undefined,
    { needed, min, max }: { needed: number; min: number; max: number },
    path: string,
  ): string {
    let missing = Math.max(0, min - needed);
    let room = max - needed;
    const chosen = pairs.flatMap((one) => {
      if (one.required) return [one];
      if (room <= 0) return [];
      room -= 1;
      missing -= 1;
      return [{ ...one, required: missing >= 0 }];
    });
    // Names that nobody declared may be the same twice, and then count once.
    if (missing > 1 || (missing === 1 && !extra)) {
      throw new SchemaError(`${path}.minProperties`, 'cannot be held for properties that are not declared');
    }
    const most = Math.max(0, max - chosen.length);
    return this.#pairs(chosen, most > 0 ? extra : undefined, Math.max(0, missing), most);
  }

  /** Pairs in their order with commas between those that are there, then others. */
  #pairs(
    pairs: readonly { pair: string; required: boolean }[],
    extra: string | undefined,
    leastExtra: number,
    mostExtra: number,
  ): string {
    const comma = extra && this.#named(`ws "," ws ${extra}`);
    let after = comma ? repeated(comma, leastExtra, mostExtra) : '""';
    const begins = extra ? [`${extra} ${repeated(comma!, Math.max(0, leastExtra - 1), mostExtra - 1)}`] : [];
    let mayBeEmpty = leastExtra === 0;
    for (const { pair, required } of pairs.toReversed()) {
      if (required) begins.length = 0;
      begins.unshift(`${pair} ${after}`);
      mayBeEmpty &&= !required;
      const next = `ws "," ws ${pair}`;
      after = this.#named(required ? `${next} ${after}` : `(${next})? ${after}`);
    }
    if (begins.length === 0) return '"{" ws "}"';
    const list = `(${begins.join(' | ')}) ws`;
    return this.#named(mayBeEmpty ? `"{" ws (${list})? "}"` : `"{" ws ${list} "}"`);
  }

  /** What a property has to be: declared, by a pattern of names, or by what is said of the others. */
  #declared(schema: Schema, name: string): unknown {
    const properties = propertiesOf(schema);
    const patterns = isSchema(schema.patternProperties) ? Object.entries(schema.patternProperties) : [];
    const matching = patterns.filter(([pattern]) => new RegExp(pattern, 'u').test(name)).map(([, value]) => value);
    const own = Object.hasOwn(properties, name) ? [properties[name]] : [];
    const all = [...own, ...matching];
    if (all.length === 0) return schema.additionalProperties ?? true;
    return all.length === 1 ? all[0] : { allOf: all };
  }

  /** A pair with a name that is not declared, where such may be written. */
  #extra(schema: Schema, names: readonly string[], place: Place): string | undefined {
    const patterns = isSchema(schema.patternProperties) ? Object.entries(schema.patternProperties) : [];
    const others = schema.additionalProperties;
    if (patterns.length > 0) {
      const [first] = patterns;
      if (patterns.length > 1 || names.length > 0 || !first) return undefined;
      const path = `${place.path}.patternProperties`;
      const value = this.#schema(first[1], { ...place, path: `${path}.${first[0]}` });
      return this.#named(`${patternString(first[0], path, { min: 0, max: Infinity })} ws ":" ws ${value}`);
    }
    if (others === false || (others === undefined && names.length > 0)) return undefined;
    const value = this.#schema(others, { ...place, path: `${place.path}.additionalProperties` });
    return this.#named(`"\\"" ${this.#otherName(names)} "\\"" ws ":" ws ${value}`);
  }

  /** A name, without escapes, that is none of these. */
  #otherName(names: readonly string[]): string {
    if (names.length === 0) return 'plainchar*';
    const first = new Map<string, string[]>();
    for (const name of names) {
      const [char] = name;
      if (char !== undefined) first.set(char, [...(first.get(char) ?? []), name.slice(char.length)]);
    }
    const taken = Array.from(first.keys(), (char): Range => [char.codePointAt(0)!, char.codePointAt(0)!]);
    const others = charClass(complement([...taken, [0, 0x1f], [0x22, 0x22], [0x5c, 0x5c]]));
    const deeper = Array.from(first, ([char, rest]) => `${literal(char)} ${this.#otherName(rest)}`);
    const end = names.includes('') ? [] : ['""'];
    return this.#named(`(${[...end, `${others} plainchar*`, ...deeper].join(' | ')})`);
  }
}

const ANNOTATIONS: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  '$comment',
  'deprecated',
]);

function isNote(name: string): boolean {
  return ANNOTATIONS.has(name);
}
