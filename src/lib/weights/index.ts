/** The public face of the room, but for `node-source.ts`, which pages cannot load. */
export { FormatError, type FormatProblem, SourceError, type SourceProblem, WeightsError } from './errors';
export { requireFinite } from './finite';
export { readGguf } from './gguf';
export { isJsonObject, type Json, type JsonLimits, type JsonObject, readJson } from './json';
export { joinWeights } from './join';
export { TOKENIZER_JSON } from './limits';
export { Metadata, type MetadataArray, type MetadataValue, type NumberArray } from './metadata';
export { configFromGguf } from './config-gguf';
export { configFromJson } from './config-json';
export { openWeights, sniff, SNIFFED_BYTES } from './open';
export { joinShards, readSafetensors, readShardIndex, type ShardIndex } from './safetensors';
export { blobSource, type ByteSource, memorySource } from './source';
export { joinSplit, plainName, splitNames, type SplitPart, splitPart, splitPaths } from './split';
export { type StreamOptions, streamTensors, type TensorPiece } from './stream';
export { StringTable } from './string-table';
export type { TensorEntry, WeightsFile, WeightsFormat } from './types';
export { openUrl, type UrlOptions } from './url-source';
