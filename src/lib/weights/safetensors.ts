/**
 * Reads the header of a safetensors file, and the index of one that was split into shards.
 *
 *   length u64 | JSON of that length | data
 *   {"__metadata__": {text: text}, "name": {"dtype": "F16", "shape": [outermost, ...], "data_offsets": [begin, end]}}
 *
 * https://github.com/huggingface/safetensors#format
 */
import { type TensorType, tensorTypeFromSafetensors } from '../../../gpu/formats/blocks';
import { FormatError } from './errors';
import { HeaderReader } from './header-reader';
import { joinWeights } from './join';
import { isJsonArray, isJsonObject, type Json, type JsonObject, parseJson } from './json';
import { MAX_DIMENSIONS, MAX_JSON_BYTES, MAX_NAME_BYTES, MAX_PARTS, MAX_TENSORS } from './limits';
import { Metadata } from './metadata';
import type { ByteSource } from './source';
import { checkLayout, tensorBytes } from './tensor-table';
import type { TensorEntry, WeightsFile } from './types';

const METADATA_KEY = '__metadata__';

export async function readSafetensors(source: ByteSource, signal?: AbortSignal): Promise<WeightsFile> {
  const header = await readHeader(source, signal);
  const { [METADATA_KEY]: metadata, ...entries } = header.json;
  const names = Object.keys(entries);
  if (names.length > MAX_TENSORS) {
    const message = `${names.length} is more than the ${MAX_TENSORS} that any model needs.`;
    throw new FormatError(source.name, 'limit', 'tensor count', message);
  }
  const tensors = new Map(names.map((name) => [name, readTensor(source.name, name, entries[name], header.dataStart)]));
  checkLayout(source.name, tensors.values(), header.dataStart, source.size);
  return { format: 'safetensors', files: [source], metadata: readMetadata(source.name, metadata), tensors };
}

async function readHeader(source: ByteSource, signal?: AbortSignal): Promise<{ json: JsonObject; dataStart: number }> {
  const reader = new HeaderReader(source, MAX_JSON_BYTES + 8, signal);
  await reader.need(8, 'header length');
  const length = reader.u64('header length');
  await reader.need(length, 'header');
  const { buffer, byteOffset } = reader.take(length);
  const json = parseJson(new Uint8Array(buffer, byteOffset, length), source.name, 'header');
  if (!isJsonObject(json)) throw new FormatError(source.name, 'format', 'header', 'this is no safetensors file.');
  return { json, dataStart: reader.position };
}

function readMetadata(file: string, json: Json | undefined): Metadata {
  if (json === undefined) return new Metadata(file);
  const entries = isJsonObject(json) ? Object.entries(json) : [];
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  if (!isJsonObject(json) || texts.length < entries.length) {
    throw new FormatError(file, 'malformed', METADATA_KEY, 'should be an object of texts.');
  }
  return new Metadata(file, new Map(texts));
}

function readTensor(file: string, name: string, json: Json | undefined, dataStart: number): TensorEntry {
  if (name.length > MAX_NAME_BYTES) {
    throw new FormatError(file, 'limit', `${name.slice(0, 40)}...`, `a name of ${name.length} characters is too long.`);
  }
  if (!isJsonObject(json)) throw new FormatError(file, 'malformed', name, 'should be an object.');
  const type = readType(file, name, json.dtype);
  const shape = readCounts(file, name, 'shape', json.shape);
  if (shape.length > MAX_DIMENSIONS) {
    throw new FormatError(file, 'limit', name, `${shape.length} dimensions are more than ${MAX_DIMENSIONS}.`);
  }
  const [begin, end, ...more] = readCounts(file, name, 'data_offsets', json.data_offsets);
  const byteLength = tensorBytes(file, name, type, shape);
  if (begin === undefined || end === undefined || more.length > 0 || end - begin !== byteLength) {
    const message = `${type} [${shape.join(', ')}] has ${byteLength} bytes, which its data_offsets do not.`;
    throw new FormatError(file, 'malformed', name, message);
  }
  return { name, type, shape, file: 0, offset: dataStart + begin, byteLength };
}

function readType(file: string, name: string, json: Json | undefined): TensorType {
  const type = typeof json === 'string' ? tensorTypeFromSafetensors(json) : undefined;
  if (type) return type;
  throw new FormatError(file, 'unsupported', name, `its dtype ${JSON.stringify(json)} is unknown here.`);
}

function readCounts(file: string, name: string, field: string, json: Json | undefined): readonly number[] {
  const isCount = (value: Json): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (isJsonArray(json) && json.every(isCount)) return json;
  throw new FormatError(file, 'malformed', name, `its ${field} should be a list of whole numbers, not negative.`);
}

// ---- shards ----------------------------------------------------------------------------------------------------

export interface ShardIndex {
  /** Names of files, each once, in the order of their first tensor. */
  readonly files: readonly string[];
  /** Which of them holds a tensor. */
  readonly fileOf: ReadonlyMap<string, number>;
}

/** Reads `model.safetensors.index.json`. Throws a FormatError, `file` being its name. */
export function readShardIndex(json: Json, file: string): ShardIndex {
  const map = isJsonObject(json) ? json.weight_map : undefined;
  if (!isJsonObject(map)) throw new FormatError(file, 'malformed', 'weight_map', 'should be an object of file names.');
  const files = new Map<string, number>();
  const fileOf = new Map<string, number>();
  for (const [tensor, shard] of Object.entries(map)) {
    // A name with a folder in it could lead anywhere on a disk.
    if (typeof shard !== 'string' || !/^[\w][\w.-]*$/.test(shard)) {
      throw new FormatError(file, 'malformed', tensor, `its shard ${JSON.stringify(shard)} is no plain file name.`);
    }
    if (!files.has(shard)) files.set(shard, files.size);
    fileOf.set(tensor, files.get(shard)!);
  }
  if (files.size > MAX_PARTS) {
    throw new FormatError(file, 'limit', 'weight_map', `${files.size} shards are more than ${MAX_PARTS}.`);
  }
  return { files: [...files.keys()], fileOf };
}

/** The shards that an index names, in its order, as one. Throws a FormatError where a tensor is not where it says. */
export function joinShards({ files, fileOf }: ShardIndex, shards: readonly WeightsFile[]): WeightsFile {
  const joined = joinWeights(shards);
  for (const [tensor, file] of fileOf) {
    if (joined.tensors.get(tensor)?.file === file) continue;
    const message = `the tensor is not in ${files[file]}, where the index says. Download that file again.`;
    throw new FormatError(shards[file]!.files[0]!.name, 'missing', tensor, message);
  }
  return joined;
}
