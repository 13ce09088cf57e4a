/**
 * `==` as Python means it. The package compares with JavaScript's `==`, which calls `1` and `"1"` equal, compares
 * lists by identity, and writes a list out to compare it with a text: exponential in a list of lists of lists.
 */
import type { Budget } from './jinja-budget';
import { isArray, isMap, type ArrayValue, type MapValue, type Value } from './jinja';

export function equal(budget: Budget, left: Value, right: Value): boolean {
  budget.enter();
  try {
    if (left === right) return true;
    if (isArray(left)) return isArray(right) && equalLists(budget, left, right);
    if (isMap(left)) return isMap(right) && equalMaps(budget, left, right);
    const [a, b] = [left.value, right.value];
    if (isNumeric(a) && isNumeric(b)) return Number(a) === Number(b);
    return left.type === right.type && a === b;
  } finally {
    budget.leave();
  }
}

function equalLists(budget: Budget, left: ArrayValue, right: ArrayValue): boolean {
  if (left.value.length !== right.value.length) return false;
  return left.value.every((item, i) => equal(budget, item, right.value[i] as Value));
}

function equalMaps(budget: Budget, left: MapValue, right: MapValue): boolean {
  if (left.value === right.value) return true;
  if (left.value.size !== right.value.size) return false;
  return [...left.value].every(([key, item]) => {
    const other = right.value.get(key);
    return other !== undefined && equal(budget, item, other);
  });
}

/** Python's booleans are the numbers 0 and 1. */
function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}
