/** Models of servers among those that a conversation can be had with. */
import { EngineError } from '$lib/engine/client';
import type { LoadProgress, LoadedModel, RemoteModelAt } from '$lib/engine/protocol';
import { hostOf, type RemoteEngine } from '$lib/engine/remote';
import { remoteName } from '$lib/store/remote-name';
import { Servers } from '$lib/store/servers';
import type { ModelEntry } from './models';

/** What the servers that the person added had when they were last asked. */
export async function remoteEntries(): Promise<ModelEntry[]> {
  const known = await new Servers(sessionStorage).list();
  return known.flatMap(({ server, models }) =>
    models.map((model) => ({ url: remoteName({ server, model }), name: `${model} (${hostOf(server)})`, bytes: 0 })),
  );
}

/**
 * Opens a server's model with the key that is known. A conversation may come from a file, and name any address: only a
 * server that was added here is asked.
 */
export async function openRemote(
  engine: RemoteEngine,
  at: RemoteModelAt,
  onProgress: (progress: LoadProgress) => void,
): Promise<LoadedModel> {
  const known = await new Servers(sessionStorage).find(at.server);
  if (known) return engine.load({ ...at, ...(known.key !== undefined && { key: known.key }) }, onProgress);
  throw new EngineError({
    code: 'remote-unknown',
    message: `${hostOf(at.server)} was not added on this device. Nothing was sent. Add it under Models if you trust it.`,
  });
}
