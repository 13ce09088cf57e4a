/** What a list of files has of models, told by their names alone: in a repository, or in what a person chose. */
import { splitPart } from '$lib/weights';

export type Format = 'gguf' | 'safetensors';

/** As much of a file as this needs. */
interface Named {
  /** With slashes. */
  readonly path: string;
}

/** The files of one model. */
export interface Kind<F extends Named> {
  readonly format: Format;
  /** Those that are small come first, parts and shards in their order. Never empty. */
  readonly files: readonly F[];
  /** Of a GGUF model, without its ending and its number of parts; undefined: it is called as what it lies in. */
  readonly name?: string;
  /** Of a GGUF model, as its name says: `Q8_0`, `Q4_K_M`. */
  readonly quantization?: string;
}

export interface Kinds<F extends Named> {
  readonly models: readonly Kind<F>[];
  /** Files that look like models and cannot be run, with the reason. */
  readonly passedOver: readonly { readonly path: string; readonly why: string }[];
}

/** What a model in safetensors needs beside its weights, and what it uses where it is there. */
export const NEEDED: readonly string[] = ['config.json', 'tokenizer.json'];
const USED = ['tokenizer_config.json', 'generation_config.json', 'chat_template.jinja', 'special_tokens_map.json'];
export const BESIDE: readonly string[] = [...NEEDED, ...USED];
export const SHARD_INDEX = 'model.safetensors.index.json';

/** GGUF models wherever they lie, and the model in safetensors at the top, if there is one. */
export function kindsOf<F extends Named>(files: readonly F[]): Kinds<F> {
  const gguf = ggufModels(files.filter(({ path }) => /\.gguf$/i.test(path)));
  const tensors = tensorModel(files);
  return {
    models: [...gguf.models, ...tensors.models],
    passedOver: [...gguf.passedOver, ...tensors.passedOver],
  };
}

// ---- GGUF --------------------------------------------------------------------------------------------------------

function ggufModels<F extends Named>(files: readonly F[]): Kinds<F> {
  const models: Kind<F>[] = [];
  const passedOver: { path: string; why: string }[] = [];
  const sets = new Map<string, { readonly count: number; readonly parts: Map<number, F> }>();
  for (const file of files) {
    const why = companion(file.path);
    const part = splitPart(file.path);
    if (why !== undefined) passedOver.push({ path: file.path, why });
    else if (!part) models.push(ggufModel(file.path, [file]));
    else {
      const key = `${part.stem}/${part.count}`;
      const set = sets.get(key) ?? { count: part.count, parts: new Map<number, F>() };
      sets.set(key, set);
      set.parts.set(part.part, file);
    }
  }
  for (const { count, parts } of sets.values()) {
    const inOrder = [...parts].sort(([a], [b]) => a - b).map(([, file]) => file);
    const [first] = inOrder;
    if (parts.size === count) models.push(ggufModel(splitPart(first!.path)!.stem, inOrder));
    else
      passedOver.push({ path: first!.path, why: `one of ${count} parts, of which ${count - parts.size} are missing` });
  }
  return { models, passedOver };
}

function ggufModel<F extends Named>(path: string, files: readonly F[]): Kind<F> {
  const folders = path.split('/');
  const file = folders.pop()!.replace(/\.gguf$/i, '');
  // Parts often lie in a folder that is called as their quantisation.
  const quantization = quantizationOf(`${file}.gguf`) ?? quantizationOf(`${folders.at(-1) ?? ''}.gguf`);
  return { format: 'gguf', files, name: file, ...(quantization !== undefined && { quantization }) };
}

/** What is kept in GGUF files and is no model: what it is instead. */
const COMPANIONS: readonly { readonly named: string; readonly is: string }[] = [
  { named: 'mmproj|projector', is: 'not the model itself: it turns pictures or sounds into its words' },
  { named: 'mtp|draft', is: 'not the model itself: it guesses ahead for it' },
  { named: 'lora|adapter', is: 'an adapter (LoRA), which is no model by itself' },
  { named: 'vocab', is: 'a vocabulary alone' },
];

function companion(path: string): string | undefined {
  const has = (words: string): boolean => new RegExp(`(^|[-_./])(${words})([-_.]|$)`, 'i').test(path);
  const found = COMPANIONS.find(({ named }) => has(named));
  if (found) return found.is;
  // Models that were made smaller with the help of an importance matrix often say so in their name.
  const isSmaller = /^I?Q\d/.test(quantizationOf(path) ?? '');
  return has('imatrix') && !isSmaller ? 'an importance matrix, for making models smaller' : undefined;
}

/** The quantisation in a file's name: `qwen2.5-0.5b-instruct-q4_k_m.gguf`. */
export function quantizationOf(path: string): string | undefined {
  const found =
    /(?:^|[-_./])((?:i?q\d+(?:_[a-z0-9]+)*)|bf16|f16|fp16|f32|mxfp4)(?=[-_.](?:gguf|of|imat)|\.gguf$)/i.exec(path);
  return found?.[1]?.toUpperCase().replace(/^FP/, 'F');
}

// ---- safetensors -------------------------------------------------------------------------------------------------

const SHARD = /^model-(\d{5})-of-(\d{5})\.safetensors$/;

/** Names of all shards of the model that this is one of; undefined: it is none. */
export function shardNames(name: string): string[] | undefined {
  const count = SHARD.exec(name)?.[2];
  if (count === undefined) return undefined;
  const five = (value: number): string => String(value).padStart(5, '0');
  return Array.from({ length: Number(count) }, (_, shard) => `model-${five(shard + 1)}-of-${count}.safetensors`);
}

function tensorModel<F extends Named>(files: readonly F[]): Kinds<F> {
  const named = (name: string): F | undefined => files.find(({ path }) => path === name);
  const single = named('model.safetensors');
  const shard = files.find(({ path }) => SHARD.test(path));
  const first = single ?? shard;
  if (!first) return { models: [], passedOver: otherTensors(files) };
  const names = single ? [single.path] : shardNames(first.path)!;
  const shards = names.map(named).filter((file) => file !== undefined);
  const missing = [...NEEDED, ...(single ? [] : [SHARD_INDEX])].filter((name) => !named(name));
  const why =
    missing.length > 0
      ? `weights alone: there is no ${missing.join(', and no ')} beside it`
      : `one of ${names.length} parts, of which ${names.length - shards.length} are missing`;
  if (missing.length > 0 || shards.length !== names.length)
    return { models: [], passedOver: [{ path: first.path, why }] };
  // What is small comes first: it says whether the rest is worth its while.
  const beside = [...BESIDE, ...(single ? [] : [SHARD_INDEX])].map(named).filter((file) => file !== undefined);
  return { models: [{ format: 'safetensors', files: [...beside, ...shards] }], passedOver: [] };
}

function otherTensors(files: readonly Named[]): Kinds<never>['passedOver'] {
  const adapter = files.find(({ path }) => path === 'adapter_model.safetensors');
  if (adapter) return [{ path: adapter.path, why: 'an adapter (LoRA), which is no model by itself' }];
  const other = files.find(({ path }) => /^[^/]+\.safetensors$/i.test(path));
  return other ? [{ path: other.path, why: 'not called as the files of language models are' }] : [];
}
