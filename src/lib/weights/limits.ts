/**
 * How much a header may ask of us. Each bound lies far above every model that a page could run, and far below what
 * would hurt: no header can make a reader allocate more than 64 MB at a time.
 */

/** A GGUF header carries its vocabulary: some 6 MB for 262,144 tokens, 16 MB with as many merges again. */
export const MAX_GGUF_HEADER_BYTES = 32 * 2 ** 20;
/** One text in it; the longest are chat templates. */
export const MAX_TEXT_BYTES = 4 * 2 ** 20;
/** JSON becomes objects some times its size. Real headers have 150 bytes a tensor. */
export const MAX_JSON_BYTES = 16 * 2 ** 20;
/** Numbers, strings, objects and arrays together, in a JSON header. */
export const MAX_JSON_VALUES = 1_000_000;
export const MAX_JSON_DEPTH = 64;
/** tokenizer.json has a value for each token and three for each merge: 33 MB in the largest known. */
export const TOKENIZER_JSON = { bytes: 64 * 2 ** 20, values: 8_000_000 } as const;

/** The deepest models known have some 130. */
export const MAX_LAYERS = 1024;
export const MAX_TENSORS = 65_536;
/** ggml stops at 64, Hugging Face's names have up to some 150. */
export const MAX_NAME_BYTES = 1024;
/** ggml stops at 4, safetensors does not say. */
export const MAX_DIMENSIONS = 8;
export const MAX_KEYS = 65_536;
/** As the GGUF specification has it. */
export const MAX_KEY_BYTES = 65_535;
/** Arrays of arrays: the specification allows them, no known model has one. */
export const MAX_NESTED_ARRAYS = 4096;
export const MAX_ARRAY_DEPTH = 4;
/** Largest alignment of GGUF tensors; real files have 32. */
export const MAX_ALIGNMENT = 65_536;
/** Files that a model may be cut into; the largest known have some 200. */
export const MAX_PARTS = 1024;
