/** Which models a server has, and what it is. */
import { EngineError } from '../engine-error';
import { isObject } from '../api/fields';
import { hostOf } from './address';
import { ask, notTheFormat, readJson, remoteError, type Server } from './ask';

export interface RemoteModel {
  readonly id: string;
  /** Tokens of prompt and answer together; undefined: it does not say. */
  readonly context?: number;
  readonly maker: Maker;
}

/** What serves, as far as it matters to what may be asked of it. */
export type Maker = 'fireside' | 'vllm' | 'llamacpp' | 'other';

const MAKERS: readonly Maker[] = ['fireside', 'vllm', 'llamacpp'];
/** Milliseconds: a list takes no thinking. */
const PATIENCE = 15_000;
/** More are nobody's own server. */
const MOST_MODELS = 1000;

/** Rejects with an EngineError, or, stopped by `signal`, with its reason. */
export async function listModels(server: Server, signal?: AbortSignal): Promise<RemoteModel[]> {
  const host = hostOf(server.server);
  const patience = AbortSignal.timeout(PATIENCE);
  const either = signal ? AbortSignal.any([signal, patience]) : patience;
  try {
    const list = await readJson(await ask(server, '/models', undefined, either), host, either);
    const data = isObject(list) && Array.isArray(list.data) ? list.data : undefined;
    // A server that has not loaded any says null (Ollama), or nothing.
    if (!data && !(isObject(list) && list.object === 'list')) throw notTheFormat(host);
    return (data ?? []).slice(0, MOST_MODELS).flatMap(modelOf);
  } catch (error) {
    if (error instanceof EngineError || signal?.aborted || !patience.aborted) throw error;
    throw remoteError(
      'remote-unreachable',
      `${host} has not answered for ${PATIENCE / 1000} seconds. Is it busy?`,
      error,
    );
  }
}

function modelOf(value: unknown): RemoteModel[] {
  if (!isObject(value) || typeof value.id !== 'string' || value.id === '') return [];
  const meta = isObject(value.meta) ? value.meta : {};
  const context = [value.context_length, value.max_model_len, meta.n_ctx].find(
    (length): length is number => typeof length === 'number' && length > 0,
  );
  const maker = MAKERS.find((name) => name === value.owned_by) ?? 'other';
  return [{ id: value.id, maker, ...(context !== undefined && { context: Math.floor(context) }) }];
}
