/**
 * Runs a parsed template, step by step under a budget, and says of every stretch of the result who wrote it.
 *
 * Expressions are the package's business. This class comes before and after each: it evaluates the operands itself,
 * weighs them (jinja-budget.ts), lets the package do the operation on values instead of expressions, and follows whose
 * characters the result is made of (jinja-origins.ts). Blocks are joined here, since the package joins bare strings.
 * A few things the package does unlike Jinja are put right on the way (README, «Templates»).
 */
import { TemplateError } from './errors';
import type { Budget } from './jinja-budget';
import { equal } from './jinja-equal';
import { checkFilter, evaluateArguments, FRESH_KEYS, FRESH_TEXT } from './jinja-filters';
import type { Origins } from './jinja-origins';
import {
  evaluated,
  InterpreterBase,
  isAbsent,
  isArray,
  isMap,
  isString,
  newArray,
  newBoolean,
  newString,
  type BinaryNode,
  type CallNode,
  type Environment,
  type EvaluatedNode,
  type FilterBlockNode,
  type FilterNode,
  type ForNode,
  type MemberNode,
  type NameNode,
  type Node,
  type ObjectNode,
  type SelectNode,
  type StringValue,
  type Value,
} from './jinja';
import type { Segment } from './specials';
import { strip } from './jinja-strip';

/** A loop that runs: what its body has written so far. */
interface Loop {
  readonly node: ForNode;
  readonly written: Segment[];
  length: number;
}

export class TemplateInterpreter extends InterpreterBase {
  readonly #loops: Loop[] = [];
  /** What blocks had written when `break` or `continue` left them. */
  readonly #leftBehind = new WeakMap<object, readonly Segment[]>();

  constructor(
    globals: Environment,
    readonly budget: Budget,
    readonly origins: Origins,
  ) {
    super(globals);
  }

  /** The whole template. */
  render(program: Node, globals: Environment): readonly Segment[] {
    return this.origins.segments(this.evaluate(program, globals) as StringValue);
  }

  override evaluate(node: Node | undefined, scope: Environment): Value {
    if (node?.type === 'Evaluated') return (node as EvaluatedNode).evaluated;
    this.budget.enter();
    try {
      const value = node ? this.#step(node, scope) : super.evaluate(node, scope);
      this.budget.check(value);
      return value;
    } finally {
      this.budget.leave();
    }
  }

  override evaluateBlock(nodes: readonly Node[], scope: Environment): StringValue {
    this.budget.charge(1);
    const loop = this.#loops.at(-1);
    const isBody = loop !== undefined && (nodes === loop.node.body || nodes === loop.node.defaultBlock);
    const written: Segment[] = [];
    try {
      for (const node of nodes) written.push(...this.#written(this.evaluate(node, scope)));
    } catch (error) {
      this.#leave(error, written, isBody ? loop : undefined);
      throw error;
    }
    const text = this.#join(written);
    if (isBody) {
      loop.written.push(...written);
      this.budget.checkText((loop.length += text.value.length));
    }
    return text;
  }

  #step(node: Node, scope: Environment): Value {
    switch (node.type) {
      case 'For':
        return this.#loop(node as ForNode, scope);
      case 'BinaryExpression':
        return this.#operate(node as BinaryNode, scope);
      case 'FilterExpression': {
        const { operand, filter } = node as FilterNode;
        return this.#filter(this.evaluate(operand, scope), filter, scope);
      }
      case 'FilterStatement': {
        const { body, filter } = node as FilterBlockNode;
        return this.#filter(this.evaluateBlock(body, scope), filter, scope);
      }
      case 'CallExpression':
        return this.#call(node as CallNode, scope);
      case 'MemberExpression':
        return this.#member(node as MemberNode, scope);
      case 'ObjectLiteral':
        return this.#object(node as ObjectNode, scope);
      case 'Macro':
      case 'CallStatement':
        this.budget.charge(countNodes(node)); // The package looks through the whole body here.
        return super.evaluate(node, scope);
      default:
        return super.evaluate(node, scope);
    }
  }

  /** What a statement's value adds to the text. */
  #written(value: Value): readonly Segment[] {
    if (isAbsent(value)) return [];
    if (isString(value)) return this.origins.segments(value);
    this.budget.measure(value);
    return [{ text: plainText(value) ?? value.toString(), origin: this.origins.strictest(value) }];
  }

  #join(segments: readonly Segment[]): StringValue {
    const length = segments.reduce((sum, { text }) => sum + text.length, 0);
    this.budget.checkText(length);
    this.budget.chargeText(length);
    return this.origins.join(segments);
  }

  /** An exception leaves a block. If the loop goes on after it, what was written before stays written. */
  #leave(error: unknown, written: Segment[], loop: Loop | undefined): void {
    if (typeof error !== 'object' || error === null) return;
    const all = [...written, ...(this.#leftBehind.get(error) ?? [])];
    if (loop) loop.written.push(...all);
    else this.#leftBehind.set(error, all);
  }

  #loop(node: ForNode, scope: Environment): Value {
    const select = node.iterable.type === 'SelectExpression' ? (node.iterable as SelectNode) : undefined;
    const items = this.#items(this.evaluate(select?.lhs ?? node.iterable, scope));
    const iterable = select ? { ...select, lhs: evaluated(items) } : evaluated(items);
    const loop: Loop = { node: { ...node, iterable }, written: [], length: 0 };
    this.#loops.push(loop);
    try {
      super.evaluate(loop.node, scope);
    } finally {
      this.#loops.pop();
    }
    return this.#join(loop.written);
  }

  /** What a loop runs over: nothing counts as an empty list, an object as the list of its keys. */
  #items(value: Value): Value {
    if (isAbsent(value)) return newArray([]);
    if (!isMap(value)) {
      if (isArray(value)) this.budget.charge(value.value.length);
      return value;
    }
    const keys = [...value.value.keys()].map(newString);
    this.origins.markKeys(keys, value);
    return newArray(keys);
  }

  #operate(node: BinaryNode, scope: Environment): Value {
    const operator = node.operator.value;
    if (operator === 'and' || operator === 'or') return super.evaluate(node, scope);
    const left = this.evaluate(node.left, scope);
    const right = this.evaluate(node.right, scope);
    this.#weigh(operator, left, right);
    if (operator === '+' && isString(left) !== isString(right) && [left, right].some(isCollection)) {
      throw new TemplateError('template-failed', 'The chat template failed: it adds a list or an object to a text.');
    }
    if (operator === '==' || operator === '!=') {
      return newBoolean(equal(this.budget, left, right) === (operator === '=='));
    }
    const result = super.evaluate({ ...node, left: evaluated(left), right: evaluated(right) } as Node, scope);
    if (!isString(result)) return result;
    if ([left, right].every((value) => isString(value) || plainText(value) !== undefined)) {
      return this.origins.join([...this.#operand(left), ...this.#operand(right)]);
    }
    this.origins.derive(result, [left, right]);
    return result;
  }

  #operand(value: Value): readonly Segment[] {
    if (isString(value)) return this.origins.segments(value);
    return [{ text: plainText(value) ?? '', origin: this.origins.strictest(value) }];
  }

  #weigh(operator: string, left: Value, right: Value): void {
    if (operator === '+' || operator === '~') {
      if (isArray(left) && isArray(right)) this.budget.checkItems(left.value.length + right.value.length);
      this.budget.checkText(this.budget.measure(left) + this.budget.measure(right) - 4);
    } else if (isString(left) && isString(right)) {
      if (operator.endsWith('in')) this.budget.chargeSearch(right.value, left.value);
      else this.budget.chargeText(Math.min(left.value.length, right.value.length));
    } else if (isArray(right)) {
      this.budget.charge(right.value.length / 8);
    }
  }

  #filter(operand: Value, filter: Node, scope: Environment): Value {
    const call = filter.type === 'CallExpression' ? (filter as CallNode) : undefined;
    const name = ((call?.callee ?? filter) as NameNode).value;
    const given = evaluateArguments(call?.args ?? [], (argument) => this.evaluate(argument, scope));
    checkFilter(this.budget, name, operand, given.values);
    const node = {
      type: 'FilterExpression',
      operand: evaluated(operand),
      filter: call ? { ...call, args: given.nodes } : filter,
    };
    const result = super.evaluate(node, scope);
    this.#follow(name, result, operand, given.values);
    return result;
  }

  /** Whose text a filter or a method has made. */
  #follow(name: string, result: Value, operand: Value, given: readonly Value[]): void {
    if (FRESH_KEYS.has(name) && isMap(operand) && isArray(result)) {
      this.origins.markKeys(
        result.value.map((entry) => (isArray(entry) ? (entry.value[0] as Value) : entry)),
        operand,
      );
    } else if (name === 'trim' && isString(result) && isString(operand)) {
      this.origins.deriveSlice(result, operand, operand.value.length - operand.value.trimStart().length);
    } else if (FRESH_TEXT.has(name) && result !== operand) {
      this.origins.derive(result, [operand, ...given]);
    }
  }

  #call(node: CallNode, scope: Environment): Value {
    if (node.callee.type !== 'MemberExpression') return super.evaluate(node, scope);
    const callee = node.callee as MemberNode;
    const object = this.evaluate(callee.object, scope);
    const given = evaluateArguments(node.args, (argument) => this.evaluate(argument, scope));
    const method = callee.computed ? '' : (callee.property as NameNode).value;
    checkFilter(this.budget, method, object, given.values);
    if (isString(object)) {
      const stripped = strip(object.value, method, given.values);
      if (stripped) {
        const result = newString(stripped.text);
        this.origins.deriveSlice(result, object, stripped.start);
        return result;
      }
    }
    const known = { ...callee, object: evaluated(object) };
    const result = super.evaluate({ ...node, callee: known, args: given.nodes } as Node, scope);
    if (isString(object)) this.origins.derive(result, [object, ...given.values]);
    else this.#follow(method, result, object, given.values);
    return result;
  }

  #member(node: MemberNode, scope: Environment): Value {
    const object = this.evaluate(node.object, scope);
    const known: MemberNode = { ...node, object: evaluated(object) };
    if (isString(object)) {
      this.budget.chargeText(object.value.length);
      const result = super.evaluate(known, scope);
      this.origins.derive(result, [object]);
      return result;
    }
    if (!node.computed || node.property.type === 'SliceExpression') return super.evaluate(known, scope);
    const property = this.evaluate(node.property, scope);
    if (property.type === 'UndefinedValue') return property; // Nothing is found under what is not there.
    return super.evaluate({ ...known, property: evaluated(property) } as Node, scope);
  }

  #object(node: ObjectNode, scope: Environment): Value {
    const keys = [...node.value].map(([key, value]) => [this.evaluate(key, scope), value] as const);
    const known = new Map<Node, Node>(keys.map(([key, value]) => [evaluated(key), value]));
    const result = super.evaluate({ ...node, value: known } as Node, scope);
    const writers = newArray(keys.map(([key]) => key));
    this.origins.ownKeys(result, this.origins.strictest(writers));
    return result;
  }
}

function isCollection(value: Value): boolean {
  return isArray(value) || isMap(value);
}

/** How a number or a truth is written. */
function plainText(value: Value): string | undefined {
  if (typeof value.value === 'boolean') return value.value ? 'True' : 'False';
  return typeof value.value === 'number' ? value.toString() : undefined;
}

const counts = new WeakMap<object, number>();

/** Nodes in a part of a parsed template. */
function countNodes(part: unknown): number {
  if (typeof part !== 'object' || part === null) return 0;
  const known = counts.get(part);
  if (known !== undefined) return known;
  const children = part instanceof Map ? [...part].flat() : Object.values(part);
  const count = children.reduce<number>((sum, child) => sum + countNodes(child), 1);
  counts.set(part, count);
  return count;
}
