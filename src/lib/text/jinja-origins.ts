/**
 * Who wrote which characters, while a template runs. Every text that came in with the conversation is known by its
 * value; what is made out of it is followed, so that the prompt comes out in stretches by template, model and person.
 * A text without an entry was written by the template.
 */
import { isArray, isMap, isString, newString, type StringValue, type Value } from './jinja';
import type { Origin, Segment } from './specials';

/** From the freest to the strictest. */
const ORDER: readonly Origin[] = ['template', 'model', 'text'];

export class Origins {
  readonly #segments = new WeakMap<Value, readonly Segment[]>();
  /** Lists and objects that came in; their keys are texts of the same writer. */
  readonly #containers = new WeakMap<Value, Origin>();

  /** Everything in a value that came in with the conversation is by `origin`. */
  mark(value: Value, origin: Origin): void {
    if (isString(value)) this.#segments.set(value, [{ text: value.value, origin }]);
    if (isArray(value)) value.value.forEach((item) => this.mark(item, origin));
    if (isMap(value)) value.value.forEach((item) => this.mark(item, origin));
    if (isArray(value) || isMap(value)) this.#containers.set(value, origin);
  }

  segments(value: StringValue): readonly Segment[] {
    return this.#segments.get(value) ?? [{ text: value.value, origin: 'template' }];
  }

  /** A text out of these stretches. */
  join(segments: readonly Segment[]): StringValue {
    const joined = mergeSegments(segments);
    const value = newString(joined.map(({ text }) => text).join(''));
    if (joined.some(({ origin }) => origin !== 'template')) this.#segments.set(value, joined);
    return value;
  }

  /** The strictest writer of a value, or of anything in it. */
  strictest(value: Value, seen: Set<Value> = new Set()): Origin {
    if (isString(value))
      return this.segments(value)
        .map(({ origin }) => origin)
        .reduce(stricter, 'template');
    const known = this.#containers.get(value);
    if (known) return known;
    if (seen.has(value)) return 'template';
    seen.add(value);
    const items = isArray(value) ? value.value : isMap(value) ? [...value.value.values()] : [];
    return items.map((item) => this.strictest(item, seen)).reduce(stricter, 'template');
  }

  /** `result` was just made out of `sources`; it is by the strictest of their writers. */
  derive(result: Value, sources: readonly Value[]): void {
    const origin = sources.map((source) => this.strictest(source)).reduce(stricter, 'template');
    if (origin !== 'template') this.#markFresh(result, origin);
  }

  /** A part of `source`: every character keeps its writer. */
  deriveSlice(result: StringValue, source: StringValue, start: number): void {
    this.#segments.set(result, sliceSegments(this.segments(source), start, start + result.value.length));
  }

  /** Fresh texts that are keys of `owner` are by whoever wrote the object. */
  markKeys(keys: readonly Value[], owner: Value): void {
    const origin = this.#containers.get(owner);
    if (origin) keys.forEach((key) => this.mark(key, origin));
  }

  /** An object that the template made, with keys by `origin`. */
  ownKeys(owner: Value, origin: Origin): void {
    if (origin !== 'template') this.#containers.set(owner, origin);
  }

  /** Texts in a fresh result that nobody is known to have written; those it holds from before keep their writers. */
  #markFresh(value: Value, origin: Origin): void {
    if (isString(value)) {
      if (!this.#segments.has(value)) this.#segments.set(value, [{ text: value.value, origin }]);
    } else if (isArray(value)) {
      value.value.forEach((item) => this.#markFresh(item, origin));
    }
  }
}

function stricter(a: Origin, b: Origin): Origin {
  return ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b;
}

/** Neighbours by the same writer become one, empty ones fall away. */
export function mergeSegments(segments: readonly Segment[]): Segment[] {
  const merged: { text: string; origin: Origin }[] = [];
  for (const { text, origin } of segments) {
    const last = merged.at(-1);
    if (last?.origin === origin) last.text += text;
    else if (text !== '') merged.push({ text, origin });
  }
  return merged;
}

function sliceSegments(segments: readonly Segment[], start: number, end: number): Segment[] {
  let at = 0;
  const parts = segments.map(({ text, origin }) => {
    const from = at;
    at += text.length;
    return { text: text.slice(Math.max(0, start - from), Math.max(0, end - from)), origin };
  });
  return parts.filter(({ text }) => text !== '');
}
