/**
 * Opens a model's files, whatever they are: a GGUF file, which says everything itself, or a folder as models lie on a
 * hub. Headers, tokenizer and chat template are read and checked; no weights yet.
 */
import {
  type ChatTemplate as Template,
  ChatTemplate,
  ggufTemplates,
  jsonTemplates,
  tokenizerFromGguf,
  tokenizerFromJson,
  type Tokenizer,
  type NamedTemplate,
} from '$lib/text';
import {
  type ByteSource,
  isJsonObject,
  joinShards,
  joinSplit,
  type Json,
  openWeights,
  plainName,
  readJson,
  readShardIndex,
  splitNames,
  TOKENIZER_JSON,
  type WeightsFile,
} from '$lib/weights';
import { EngineFault } from './errors';

/** A place with files by name: a folder on a disk, an address, a list that a person chose. */
export interface ModelFolder {
  readonly name: string;
  /** Undefined: there is no such file. */
  open(file: string, signal?: AbortSignal): Promise<ByteSource | undefined>;
}

/** `beside`: where the other parts of a split GGUF lie. */
export type ModelPlace =
  { readonly file: ByteSource; readonly beside?: ModelFolder } | { readonly folder: ModelFolder };

export interface OpenedModel {
  readonly name: string;
  readonly weights: WeightsFile;
  /** The parsed config.json; a GGUF file has it in its metadata. */
  readonly config: Json | undefined;
  readonly tokenizer: Tokenizer;
  /** Undefined for a model that is not made for conversations. */
  readonly template: Template | undefined;
  /** Gives back the files. */
  close(): Promise<void>;
}

export async function openModel(place: ModelPlace, signal?: AbortSignal): Promise<OpenedModel> {
  const opened: ByteSource[] = [];
  try {
    const parts =
      'file' in place ? await openFile(place, opened, signal) : await openFolder(place.folder, opened, signal);
    return { ...parts, close: () => closeAll(opened) };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

type Parts = Omit<OpenedModel, 'close'>;

// ---- a GGUF file -----------------------------------------------------------------------------------------------

async function openFile(
  { file, beside }: Extract<ModelPlace, { file: ByteSource }>,
  opened: ByteSource[],
  signal?: AbortSignal,
): Promise<Parts> {
  opened.push(file);
  const first = await openWeights(file, signal);
  if (first.format !== 'gguf') {
    const message = 'safetensors are weights alone. Name the folder they lie in, with config.json and tokenizer.json.';
    throw new EngineFault('files', `${file.name}: ${message}`);
  }
  const names = splitNames(first);
  const weights = names ? await openSplit(first, names, beside && new FolderReader(beside, opened, signal)) : first;
  const { metadata } = weights;
  const tokenizer = tokenizerFromGguf(metadata);
  return {
    name: metadata.string('general.name', nameOf(file.name)),
    weights,
    config: undefined,
    tokenizer,
    template: templateOf(ggufTemplates(metadata), tokenizer),
  };
}

/** The part that was named, and those beside it. */
async function openSplit(
  named: WeightsFile,
  names: readonly string[],
  beside: FolderReader | undefined,
): Promise<WeightsFile> {
  const file = named.files[0]!.name;
  if (!beside) {
    const message = `this is one of ${names.length} parts, and the others cannot be reached from here.`;
    throw new EngineFault('files', `${file}: ${message}`);
  }
  const parts: WeightsFile[] = [];
  for (const name of names) {
    if (name === plainName(file)) {
      parts.push(named);
      continue;
    }
    const source = await beside.open(name);
    if (!source) {
      throw new EngineFault('files', `${beside.name}: there is no ${name}, one of the model's ${names.length} parts.`);
    }
    parts.push(await openWeights(source, beside.signal));
  }
  return joinSplit(parts);
}

// ---- a folder --------------------------------------------------------------------------------------------------

async function openFolder(folder: ModelFolder, opened: ByteSource[], signal?: AbortSignal): Promise<Parts> {
  const files = new FolderReader(folder, opened, signal);
  const weights = await openShards(files, signal);
  const [config, tokenizerJson, settings, generation, jinja] = [
    await files.need('config.json'),
    await files.need('tokenizer.json'),
    await files.json('tokenizer_config.json'),
    await files.json('generation_config.json'),
    await files.text('chat_template.jinja'),
  ];
  const templates = jsonTemplates(settings, jinja);
  const tokenizer = tokenizerFromJson(tokenizerJson, settings ?? {}, {
    templates: templates.map(({ source }) => source),
    endIds: [...endIdsOf(config), ...endIdsOf(generation)],
  });
  return { name: nameOf(folder.name), weights, config, tokenizer, template: templateOf(templates, tokenizer) };
}

async function openShards(files: FolderReader, signal?: AbortSignal): Promise<WeightsFile> {
  const single = await files.open('model.safetensors');
  if (single) return openWeights(single, signal);
  const indexName = 'model.safetensors.index.json';
  const index = await files.json(indexName);
  if (index === undefined) {
    const message = `there is no model.safetensors, and no ${indexName}. A GGUF file is opened by its own name.`;
    throw new EngineFault('files', `${files.name}: ${message}`);
  }
  const shards: WeightsFile[] = [];
  const map = readShardIndex(index, indexName);
  for (const shard of map.files) {
    const source = await files.open(shard);
    if (!source) throw new EngineFault('files', `${files.name}: there is no ${shard}, which ${indexName} names.`);
    shards.push(await openWeights(source, signal));
  }
  return joinShards(map, shards);
}

class FolderReader {
  constructor(
    readonly folder: ModelFolder,
    readonly opened: ByteSource[],
    readonly signal: AbortSignal | undefined,
  ) {}

  get name(): string {
    return this.folder.name;
  }

  async open(file: string): Promise<ByteSource | undefined> {
    const source = await this.folder.open(file, this.signal);
    if (source) this.opened.push(source);
    return source;
  }

  async json(file: string): Promise<Json | undefined> {
    const source = await this.open(file);
    return source && readJson(source, this.signal, TOKENIZER_JSON);
  }

  async need(file: string): Promise<Json> {
    const json = await this.json(file);
    if (json === undefined) throw new EngineFault('files', `${this.name}: there is no ${file}, which the model needs.`);
    return json;
  }

  async text(file: string): Promise<string | undefined> {
    const source = await this.open(file);
    return source && new TextDecoder().decode(await source.read(0, source.size, this.signal));
  }
}

/** `eos_token_id`: an id, or a list of them. */
function endIdsOf(config: Json | undefined): number[] {
  const ids = isJsonObject(config) ? config.eos_token_id : undefined;
  return (Array.isArray(ids) ? (ids as readonly Json[]) : [ids]).filter((id): id is number => typeof id === 'number');
}

// ---- both ------------------------------------------------------------------------------------------------------

function templateOf(templates: readonly NamedTemplate[], tokenizer: Tokenizer): ChatTemplate | undefined {
  return templates.length > 0 ? new ChatTemplate(templates, tokenizer.specialTexts()) : undefined;
}

/** The last part of a path or an address, without its ending. */
function nameOf(path: string): string {
  const last = plainName(path.replace(/[?#].*$/, '').replace(/[\\/]+$/, ''));
  return last.replace(/(-\d{5}-of-\d{5})?\.(gguf|safetensors)$/i, '');
}

async function closeAll(sources: readonly ByteSource[]): Promise<void> {
  for (const source of sources) await source.close?.();
}
