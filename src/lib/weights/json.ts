/**
 * JSON from strangers. `JSON.parse` keeps silent about a key that is there twice, and turns 16 MB of brackets into a
 * gigabyte of arrays: so the bytes are counted through first.
 */
import { FormatError } from './errors';
import { MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_JSON_VALUES } from './limits';
import type { ByteSource } from './source';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** How much a file of JSON may ask of us. */
export interface JsonLimits {
  readonly bytes: number;
  readonly values: number;
}

const HEADER_LIMITS: JsonLimits = { bytes: MAX_JSON_BYTES, values: MAX_JSON_VALUES };

/** A whole file of JSON, such as config.json. */
export async function readJson(source: ByteSource, signal?: AbortSignal, limits = HEADER_LIMITS): Promise<Json> {
  if (source.size > limits.bytes) {
    throw new FormatError(source.name, 'limit', 'size', `${source.size} bytes of JSON are more than ${limits.bytes}.`);
  }
  return parseJson(await source.read(0, source.size, signal), source.name, 'JSON', limits.values);
}

/** @param field what the bytes are, for errors */
export function parseJson(bytes: Uint8Array, file: string, field: string, mostValues = MAX_JSON_VALUES): Json {
  const keys = countThrough(bytes, file, field, mostValues);
  const value = parse(bytes, file, field);
  if (countKeys(value) !== keys) throw new FormatError(file, 'duplicate', field, 'a key is there twice.');
  return value;
}

function parse(bytes: Uint8Array, file: string, field: string): Json {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new FormatError(file, 'malformed', field, 'this is no JSON in UTF-8.', { cause });
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const LIST = 0x5b;
const LIST_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

/** How many keys all objects have together. Refuses what is deeper or has more values than any real file. */
function countThrough(bytes: Uint8Array, file: string, field: string, mostValues: number): number {
  let depth = 0;
  let values = 0;
  let keys = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) i = endOfString(bytes, i);
    else if (byte === COLON) keys++;
    else if (byte === COMMA) values++;
    else if (byte === LIST || byte === OBJECT) {
      values++;
      depth++;
    } else if (byte === LIST_END || byte === OBJECT_END) depth--;
    if (depth > MAX_JSON_DEPTH || values > mostValues) {
      const message = `JSON deeper than ${MAX_JSON_DEPTH} or with more than ${mostValues} values is refused.`;
      throw new FormatError(file, 'limit', field, message);
    }
  }
  return keys;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}

function countKeys(value: Json): number {
  if (isJsonArray(value)) return value.reduce<number>((keys, member) => keys + countKeys(member), 0);
  if (!isJsonObject(value)) return 0;
  const members = Object.values(value);
  return members.reduce<number>((keys, member) => keys + countKeys(member), members.length);
}
