/** What filters and methods may cost, and which of them make new texts; names are those of `@huggingface/jinja`. */
import type { Budget } from './jinja-budget';
import { evaluated, isArray, isMap, isString, type Node, type Value } from './jinja';

/** Filters whose result is a new text, made out of the operand and the arguments. */
export const FRESH_TEXT: ReadonlySet<string> = new Set([
  'upper',
  'lower',
  'title',
  'capitalize',
  'indent',
  'replace',
  'join',
  'string',
  'tojson',
]);

/** Filters and methods of objects whose result holds their keys as new texts. */
export const FRESH_KEYS: ReadonlySet<string> = new Set(['items', 'keys', 'dictsort']);

interface Given {
  readonly values: readonly Value[];
  /** The arguments again, to be handed on: their values in the place of their expressions. */
  readonly nodes: readonly Node[];
}

interface ArgumentNode extends Node {
  readonly value: Node;
  readonly argument: Node;
}

/** Literals stay as they are: some filters of the package want to see them. */
const LITERALS: ReadonlySet<string> = new Set(['StringLiteral', 'IntegerLiteral', 'FloatLiteral']);

export function evaluateArguments(args: readonly Node[], evaluate: (node: Node) => Value): Given {
  const values: Value[] = [];
  const known = (node: Node): Node => {
    const value = evaluate(node);
    values.push(value);
    return LITERALS.has(node.type) ? node : evaluated(value);
  };
  const nodes = args.map((node): Node => {
    const argument = node as ArgumentNode;
    switch (node.type) {
      case 'KeywordArgumentExpression':
        return { ...argument, value: known(argument.value) } as Node;
      case 'SpreadExpression':
      case 'KeywordSpreadExpression':
        return { ...argument, argument: known(argument.argument) } as Node;
      default:
        return known(node);
    }
  });
  return { values, nodes };
}

/** Charges a filter or method, and stops it where its result would be too large. */
export function checkFilter(budget: Budget, name: string, operand: Value, args: readonly Value[]): void {
  const length = isString(operand) ? operand.value.length : 0;
  const texts = args.filter(isString).map(({ value }) => value);
  budget.chargeText(length);
  if (isArray(operand) || isMap(operand)) chargeItems(budget, name, operand, texts);
  switch (name) {
    case 'tojson':
      budget.measure(operand, widthOf(args));
      break;
    case 'indent':
      if (isString(operand)) {
        budget.checkText(length + (widthOf(args) || 4) * (count(operand.value, '\n') + 1));
      }
      break;
    case 'string':
      budget.measure(operand);
      break;
    case 'join':
      budget.checkText(budget.measure(operand) + (texts[0]?.length ?? 0) * Math.max(length, sizeOf(operand)));
      break;
    case 'replace':
      checkReplace(budget, operand, texts);
      break;
    case 'split':
    case 'startswith':
    case 'endswith':
      if (isString(operand)) budget.chargeSearch(operand.value, texts[0] ?? '');
      break;
  }
}

/** Numbers and texts among the arguments say how far lines are indented and what stands between entries. */
function widthOf(args: readonly Value[]): number {
  const lists = args.filter(isArray).flatMap(({ value }) => value);
  const widths = [...args, ...lists].map((value) => {
    if (isString(value)) return value.value.length;
    return typeof value.value === 'number' ? value.value : 0;
  });
  return widths.reduce((widest, width) => Math.max(widest, width), 0);
}

function checkReplace(budget: Budget, operand: Value, [old = '', by = '']: readonly string[]): void {
  if (!isString(operand)) return;
  budget.chargeSearch(operand.value, old);
  const occurrences = old === '' ? operand.value.length + 1 : count(operand.value, old);
  budget.checkText(operand.value.length + occurrences * (by.length - old.length));
}

function count(text: string, part: string): number {
  let occurrences = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) occurrences += 1;
  return occurrences;
}

/** What does not look at every entry. */
const QUICK: ReadonlySet<string> = new Set(['length', 'first', 'last', 'list', 'get']);

/** Sorting looks at every entry many times, a path of attributes is taken apart for every entry. */
function chargeItems(budget: Budget, name: string, operand: Value, texts: readonly string[]): void {
  if (QUICK.has(name)) return;
  const size = sizeOf(operand);
  const compares = name === 'sort' || name === 'dictsort' || name === 'unique';
  budget.charge(size);
  budget.chargeText(size * texts.reduce((length, text) => length + text.length, 0));
  if (compares) budget.chargeText(budget.measure(operand) * Math.ceil(Math.log2(size + 2)));
}

function sizeOf(value: Value): number {
  if (isArray(value)) return value.value.length;
  return isMap(value) ? value.value.size : 0;
}
