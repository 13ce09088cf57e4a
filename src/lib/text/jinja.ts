/**
 * The parts of `@huggingface/jinja` (0.5.11) that this room builds on, in types. The package's interpreter evaluates a
 * template; jinja-interpreter.ts stands in the way of every step it takes, which needs two of its methods
 * (`evaluate`, and `evaluateBlock`, which its types call private) and the classes of its values (not exported, but
 * every value knows its own). tests/src/lib/text/jinja-interpreter.test.ts fails where a new version has them no more.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { TemplateError } from './errors';

export { Environment };

/** A value while a template runs: text, number, boolean, null, undefined, list, object, namespace, function. */
export type Value = ReturnType<Environment['lookupVariable']>;
export type StringValue = Extract<Value, { value: string }>;
export type ArrayValue = Extract<Value, { value: Value[] }>;
export type MapValue = Extract<Value, { value: Map<string, Value> }>;

/** A node of a parsed template; the fields depend on the type. */
export interface Node {
  readonly type: string;
}
export interface BinaryNode extends Node {
  readonly operator: { readonly value: string };
  readonly left: Node;
  readonly right: Node;
}
export interface FilterNode extends Node {
  readonly operand: Node;
  readonly filter: Node;
}
export interface FilterBlockNode extends Node {
  readonly filter: Node;
  readonly body: readonly Node[];
}
export interface CallNode extends Node {
  readonly callee: Node;
  readonly args: readonly Node[];
}
export interface MemberNode extends Node {
  readonly object: Node;
  readonly property: Node;
  readonly computed: boolean;
}
export interface ForNode extends Node {
  readonly iterable: Node;
  readonly body: readonly Node[];
  readonly defaultBlock: readonly Node[];
}
export interface SelectNode extends Node {
  readonly lhs: Node;
}
export interface ObjectNode extends Node {
  readonly value: ReadonlyMap<Node, Node>;
}
export interface NameNode extends Node {
  readonly value: string;
}

/** A node that was evaluated already: whoever holds the value puts it in the place of the expression. */
export interface EvaluatedNode extends Node {
  readonly type: 'Evaluated';
  readonly evaluated: Value;
}

export function evaluated(value: Value): EvaluatedNode {
  return { type: 'Evaluated', evaluated: value };
}

interface Steps {
  evaluate(node: Node | undefined, scope: Environment): Value;
  evaluateBlock(nodes: readonly Node[], scope: Environment): StringValue;
}

/** The package's interpreter with the methods that every step goes through. */
export const InterpreterBase = Interpreter as unknown as new (globals: Environment) => Steps;

const StringClass = new Environment().set('text', '').constructor as new (text: string) => StringValue;
const BooleanClass = new Environment().set('flag', true).constructor as new (value: boolean) => Value;
const ArrayClass = new Environment().set('list', []).constructor as new (items: Value[]) => ArrayValue;

export function newString(text: string): StringValue {
  return new StringClass(text);
}

export function newBoolean(value: boolean): Value {
  return new BooleanClass(value);
}

export function newArray(items: Value[]): ArrayValue {
  return new ArrayClass(items);
}

export function isString(value: Value): value is StringValue {
  return value.type === 'StringValue';
}

/** Lists and tuples. */
export function isArray(value: Value): value is ArrayValue {
  return Array.isArray(value.value);
}

/** Objects, namespaces, and keyword arguments. */
export function isMap(value: Value): value is MapValue {
  return value.value instanceof Map;
}

export function isAbsent(value: Value): boolean {
  return value.type === 'NullValue' || value.type === 'UndefinedValue';
}

/** Chat templates are 1 to 20 kB long. */
const LONGEST_SOURCE = 512 * 1024;
/** Sum of squares of runs of white space: what one of the package's patterns costs. */
const MOST_BLANK = 20_000_000;

/** Reads a template as the hub's library sets Jinja up (trim_blocks, lstrip_blocks). */
export function parseTemplate(source: string): Node {
  if (source.length > LONGEST_SOURCE) {
    throw new TemplateError(
      'template-syntax',
      `The chat template is ${source.length} characters long; ${LONGEST_SOURCE} is the most that is read.`,
    );
  }
  let blank = 0;
  for (const [run] of source.matchAll(/\s{64,}/g)) blank += run.length ** 2;
  if (blank > MOST_BLANK) {
    throw new TemplateError('template-syntax', 'The chat template is mostly white space; it was not read.');
  }
  try {
    return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
  } catch (error) {
    throw new TemplateError('template-syntax', `The chat template cannot be read: ${whyUnread(error)}.`, {
      cause: error,
    });
  }
}

function whyUnread(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply';
  // The package looks for one more token without asking whether there is one.
  if (error instanceof TypeError) return 'it ends in the middle of something';
  return error instanceof Error ? error.message : String(error);
}
