/** Servers that the person added, and one that they are looking at. A server is asked when somebody says so, never before. */
import { hostOf, listModels, serverAddress } from '$lib/engine/remote';
import { remoteName } from '$lib/store/remote-name';
import { type KnownServer, Servers } from '$lib/store/servers';

interface ShownModel {
  readonly id: string;
  /** As conversations name it. */
  readonly name: string;
}

/** `kept`: its models are those of the last time. */
export type ServerState =
  | { readonly now: 'kept' | 'asking' | 'answers'; readonly models: readonly ShownModel[] }
  | { readonly now: 'failed'; readonly models: readonly ShownModel[]; readonly error: unknown };

interface Shown extends KnownServer {
  readonly state: ServerState;
}

/** What a server said that is not added yet. */
export interface ServerOffer {
  readonly server: string;
  readonly models: readonly string[];
  readonly key?: string;
}

export class ServerList {
  known = $state.raw<readonly Shown[]>([]);
  /** The host that is being asked. */
  looking = $state<string>();
  offer = $state.raw<ServerOffer>();
  problem = $state.raw<unknown>();

  #kept: Servers | undefined;

  async start(): Promise<void> {
    this.#kept = new Servers(sessionStorage);
    await this.#attempt(async () => {
      const known = (await this.#kept?.list()) ?? [];
      this.known = known.map((one) => ({ ...one, state: { now: 'kept', models: shown(one.server, one.models) } }));
    });
  }

  /** Asks what a server has. Nothing goes there but the key. */
  async look(address: string, key: string): Promise<void> {
    this.offer = undefined;
    await this.#attempt(async () => {
      const server = serverAddress(address, location.origin);
      this.looking = hostOf(server);
      const models = await listModels({ server, ...(key !== '' && { key }) });
      this.offer = { server, models: models.map(({ id }) => id), ...(key !== '' && { key }) };
    });
    this.looking = undefined;
  }

  decline(): void {
    this.offer = undefined;
  }

  /** The person knows where what they write goes, and wants it. */
  async add(keep: KnownServer['keep']): Promise<void> {
    const offer = this.offer;
    if (!offer) return;
    await this.#attempt(async () => {
      const known: KnownServer = { ...offer, keep };
      await this.#kept?.put(known);
      const added: Shown = { ...known, state: { now: 'answers', models: shown(offer.server, offer.models) } };
      this.known = [...this.known.filter(({ server }) => server !== offer.server), added];
      this.offer = undefined;
    });
  }

  /** Whether it answers, and what it has now. */
  async check(server: string): Promise<void> {
    const known = this.known.find((one) => one.server === server);
    if (!known) return;
    this.#show(server, { now: 'asking', models: known.state.models });
    try {
      const models = (await listModels(known)).map(({ id }) => id);
      await this.#kept?.put({ server, models, keep: known.keep, ...(known.key !== undefined && { key: known.key }) });
      this.#show(server, { now: 'answers', models: shown(server, models) });
    } catch (error) {
      this.#show(server, { now: 'failed', models: known.state.models, error });
    }
  }

  async remove(server: string): Promise<void> {
    await this.#attempt(async () => {
      await this.#kept?.remove(server);
      this.known = this.known.filter((one) => one.server !== server);
    });
  }

  #show(server: string, state: ServerState): void {
    this.known = this.known.map((one) => (one.server === server ? { ...one, state } : one));
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    this.problem = undefined;
    try {
      await act();
    } catch (error) {
      this.problem = error;
    }
  }
}

function shown(server: string, models: readonly string[]): ShownModel[] {
  return models.map((id) => ({ id, name: remoteName({ server, model: id }) }));
}
