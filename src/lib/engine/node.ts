/** The engine under Node, where there is no worker: the same calls as the page's client has. On the GPU, through Dawn. */
import { openGpu } from '$gpu';
import { EngineError } from './engine-error';
import { describe, EngineFault } from './errors';
import { openOnGpu } from './gpu-open';
import { loadXgrammarInNode } from './grammar/xgrammar-node';
import { Host, type LoadContext, type Opened, type Way } from './host';
import { diskPlace } from './disk-place';
import type { ModelPlace } from './open-model';
import type {
  AnswerEnd,
  AnswerSettings,
  Ask,
  GenerateProgress,
  LoadedModel,
  LoadProgress,
  LoadOptions,
  LoadRequest,
  ModelAt,
} from './protocol';
import { urlPlace } from './url-place';

export type PlaceOf = (at: ModelAt, signal: AbortSignal) => Promise<ModelPlace>;

export class NodeEngine {
  readonly #host: Host;

  /** @param placeOf where a model's files are. Default: on the disk, else at an address */
  constructor(placeOf: PlaceOf = placeInNode) {
    this.#host = new Host({ choose: async (options) => wayOf(options, placeOf), openOnCpu });
  }

  /** The model that is open. */
  get model(): LoadedModel | undefined {
    return this.#host.model;
  }

  /** Opens a model in place of the one that is open. `url` may be a path too. */
  load(
    request: LoadRequest,
    onProgress: (progress: LoadProgress) => void = () => {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<LoadedModel> {
    return told(() => this.#host.load(request, onProgress, signal));
  }

  /** Stopped by `signal`, it resolves with the reason `aborted`. */
  generate(
    request: Ask & AnswerSettings,
    onProgress: (progress: GenerateProgress) => void = () => {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<AnswerEnd> {
    return told(() => this.#host.generate(request, onProgress, signal));
  }

  close(): void {
    this.#host.unload();
  }
}

/** As a page would be told of it. */
async function told<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new EngineError(describe(error), { cause: error });
  }
}

async function placeInNode(at: ModelAt, signal: AbortSignal): Promise<ModelPlace> {
  if (!('url' in at)) throw new EngineFault('files', 'Under Node a model is named by its path or its address.');
  const found = await diskPlace(at.url);
  if (found || URL.canParse(at.url)) return found ?? urlPlace(at.url, signal);
  throw new EngineFault('files', `${at.url}: there is no such file or folder, and it is no address.`);
}

/** A software adapter has to do: there is no other way. */
function wayOf({ path = 'auto' }: LoadOptions, placeOf: PlaceOf): Way {
  if (path === 'cpu') return { path: 'cpu', reason: 'asked' };
  return { path: 'gpu', reason: path === 'gpu' ? 'asked' : 'gpu', open: (context) => open(context, placeOf) };
}

async function open({ request, signal, progress }: LoadContext, placeOf: PlaceOf): Promise<Opened> {
  const place = await placeOf(request, signal);
  const gpu = await openGpu({ prepare: [] });
  try {
    const options = { ...request, loadXgrammar: loadXgrammarInNode, signal, progress };
    const { name, bytes, model, quantised } = await openOnGpu(gpu, place, options);
    return { model, facts: { name, bytes, adapter: gpu.info.description, ...(request.quant && { quantised }) } };
  } catch (error) {
    gpu.destroy();
    throw error;
  }
}

async function openOnCpu(): Promise<Opened> {
  throw new EngineFault(
    'cpu',
    'Under Node models run on the GPU, or on a software adapter; the way through the processor is for pages.',
  );
}
