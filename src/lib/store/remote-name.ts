/** Models of servers, as conversations and addresses name them: `remote:ADDRESS#MODEL`. */

interface RemoteModelName {
  /** Address of the server's API. */
  readonly server: string;
  readonly model: string;
}

/** Before a server's address; any other name of a model is one on this device, or an address to read it from. */
const REMOTE = 'remote:';

export function isRemote(name: string): boolean {
  return name.startsWith(REMOTE);
}

export function remoteName({ server, model }: RemoteModelName): string {
  return `${REMOTE}${server}#${encodeURIComponent(model)}`;
}

export function remoteModelAt(name: string): RemoteModelName {
  const [server = '', model = ''] = name.slice(REMOTE.length).split('#');
  return { server, model: decoded(model) };
}

/** Names come from files too. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
