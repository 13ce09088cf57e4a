/**
 * What people paste to name a model, in all its forms: a repository of a hub, a link to one or into one, the address of a
 * file anywhere. What it is not is told with what to do instead.
 */
import { StoreError } from './errors';

export const HUGGING_FACE = 'https://huggingface.co';

export type ModelAddress =
  | {
      readonly kind: 'hub';
      /** `owner/name` */
      readonly repo: string;
      /** A branch, tag or commit; undefined: the newest. */
      readonly revision?: string;
      /** A file in it, where one was named. */
      readonly path?: string;
      /** A part of a file's name that picks one of several, such as `Q4_K_M`. */
      readonly variant?: string;
    }
  | {
      /** A GGUF file anywhere, or weights in safetensors with their config.json and tokenizer.json beside them. */
      readonly kind: 'url';
      readonly url: string;
    }
  | { readonly kind: 'pocket' };

export interface AddressOptions {
  /** The hub in use, where it is not Hugging Face. Links to either are understood. */
  readonly hub?: string;
}

/** Repositories: letters, digits, `-`, `_`, `.`; Hugging Face's own rule. */
const NAME = '[A-Za-z0-9][A-Za-z0-9._-]*';
const REVISION = 'refs/(?:pr|convert)/[^/:@\\s]+|[^/:@\\s]+';
const REPO = new RegExp(`^(${NAME}/${NAME})(?:@(${REVISION}))?(?::([A-Za-z0-9._-]+))?(?:/(.+))?$`);
const MODEL_FILE = /\.(gguf|safetensors)$/i;
const HUB_HOSTS = ['huggingface.co', 'www.huggingface.co', 'hf.co', 'hf-mirror.com'];
/** First parts of a hub's paths that are no owners. */
const OTHER_PLACES: Readonly<Record<string, string>> = {
  datasets: 'a dataset',
  spaces: 'a Space, an app',
  collections: 'a collection',
  papers: 'a paper',
  docs: 'a page of the documentation',
  blog: 'an article',
  posts: 'a post',
};

/** Throws a `StoreError` of the problem `address` for everything else. */
export function parseAddress(text: string, { hub = HUGGING_FACE }: AddressOptions = {}): ModelAddress {
  const address = unwrap(text);
  if (address === '')
    throw problem('Nothing was given. Paste a link to a model, or its name, such as Qwen/Qwen3-0.6B.');
  if (address === 'pocket') return { kind: 'pocket' };
  refusePaths(address);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase();
  if (scheme === 'hf') return fromPath(address.slice('hf://'.length).replace(/^models\//, ''), address);
  if (scheme === 'http' || scheme === 'https') return fromUrl(address, hub);
  if (scheme !== undefined) {
    throw problem(
      `«${scheme}:» is no kind of address that models are found at. Use https:// or a name like owner/model.`,
    );
  }
  const host = address.split(/[/:]/, 1)[0]!.toLowerCase();
  if (HUB_HOSTS.includes(host)) return fromUrl(`https://${address}`, hub);
  // Publishers have no dots in their names.
  if (MODEL_FILE.test(address) && /^[^/]+\.[a-z]{2,}(:\d+)?\//i.test(address)) {
    return fromUrl(`https://${address}`, hub);
  }
  return fromPath(address, address);
}

/** Whitespace, quotes and brackets around, and the commands that model pages tell people to type. */
function unwrap(text: string): string {
  let address = text.trim();
  address = /from_pretrained\(\s*["']([^"']+)["']/.exec(address)?.[1] ?? address;
  address = address.replace(/^["'`<([]+|["'`>)\],;]+$/g, '').trim();
  const words = address.split(/\s+/);
  if (words.length === 1) return address;
  const commands: readonly RegExp[] = [
    /^git\s+(?:lfs\s+)?clone\s+(?:-\S+\s+)*(\S+)$/,
    /^(?:ollama|lms)\s+(?:run|pull|get)\s+(\S+)/,
    /^(?:hf|huggingface-cli)\s+download\s+(\S+)$/,
    /(?:^|\s)(?:-hf|--hf-repo|--model|-m)[\s=](\S+)/,
    /^vllm\s+serve\s+(\S+)/,
  ];
  for (const command of commands) {
    const found = command.exec(address)?.[1];
    if (found) return found.replace(/^["']|["']$/g, '');
  }
  const file = /^(?:hf|huggingface-cli)\s+download\s+(\S+)\s+(\S+\.(?:gguf|safetensors))/.exec(address);
  if (file) return `${file[1]}/${file[2]}`;
  throw problem(`«${short(address)}» has spaces in it. Paste the address alone, such as Qwen/Qwen3-0.6B.`);
}

function refusePaths(address: string): void {
  const isPath = /^(file:|~|\.{0,2}[\\/]|[a-z]:[\\/])/i.test(address) || address.includes('\\');
  if (!isPath) return;
  throw problem(
    `«${short(address)}» is a path on your device, which pages cannot read by themselves. Choose the file or folder ` +
      'with the button, or drop it here.',
  );
}

// ---- names -----------------------------------------------------------------------------------------------------

function fromPath(path: string, whole: string): ModelAddress {
  const clean = path.replace(/[?#].*$/, '').replace(/\/+$/, '');
  const [, repo, revision, variant, file] = REPO.exec(clean) ?? [];
  if (repo === undefined) throw badName(clean, whole);
  const place = OTHER_PLACES[repo.split('/')[0]!.toLowerCase()];
  if (place) throw notModel(whole, place);
  const inside = file === undefined ? undefined : pathIn(file.split('/').map(decodeLoosely));
  const decoded = revision === undefined ? undefined : decode(revision);
  return hubAddress(repo.replace(/\.git$/, ''), { revision: decoded, variant, ...inside });
}

function badName(name: string, whole: string): StoreError {
  if (/^[a-z0-9._-]+:[a-z0-9._-]+$/i.test(name)) {
    return problem(
      `«${short(whole)}» looks like a name of Ollama's, whose library pages cannot download from. Look for the model's ` +
        'GGUF on huggingface.co and paste that link.',
    );
  }
  if (new RegExp(`^${NAME}$`).test(name)) {
    return problem(
      `«${short(whole)}» names a model without its publisher. Write owner/model, such as Qwen/Qwen3-0.6B; on a model's ` +
        'page it is what stands at the top.',
    );
  }
  return problem(`«${short(whole)}» is no address of a model. Paste a link, or a name such as Qwen/Qwen3-0.6B.`);
}

/** The rest of a link after `owner/name/`, or a path as it is. */
function pathIn(parts: readonly string[]): { revision?: string; path?: string } {
  const [verb, ...rest] = parts;
  if (
    verb === 'tree' ||
    verb === 'blob' ||
    verb === 'resolve' ||
    verb === 'raw' ||
    verb === 'blame' ||
    verb === 'edit'
  ) {
    // refs/pr/1 and refs/convert/parquet are the revisions that have slashes.
    const length = rest[0] === 'refs' ? 3 : 1;
    const revision = rest.slice(0, length).join('/');
    const path = rest.slice(length).join('/');
    return { ...(revision && { revision }), ...(path && verb !== 'tree' && { path }) };
  }
  if (verb === 'commit' && rest[0]) return { revision: rest[0] };
  if (verb === 'commits' || verb === 'discussions' || verb === 'settings' || verb === 'edit') return {};
  return { path: parts.join('/') };
}

interface HubParts {
  readonly revision?: string | undefined;
  readonly path?: string | undefined;
  readonly variant?: string | undefined;
}

function hubAddress(repo: string, { revision, path, variant }: HubParts): ModelAddress {
  const isMain = revision === undefined || revision === 'main';
  // A config.json that was pasted means the model that it belongs to.
  const file = path !== undefined && MODEL_FILE.test(path) ? path : undefined;
  return {
    kind: 'hub',
    repo,
    ...(!isMain && { revision }),
    ...(file !== undefined && { path: file }),
    ...(variant !== undefined && variant !== 'latest' && { variant }),
  };
}

// ---- links -----------------------------------------------------------------------------------------------------

function fromUrl(text: string, hub: string): ModelAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw problem(`«${short(text)}» is not a whole address. Copy it from the browser's address bar.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw problem(`${url.host}: addresses with a password in them cannot be asked by pages. Leave it away.`);
  }
  const own = new URL(hub);
  const onHub = url.host === own.host || HUB_HOSTS.includes(url.hostname);
  if (onHub) return fromHubLink(url, url.host === own.host ? own.pathname : '/');
  if (MODEL_FILE.test(url.pathname)) return { kind: 'url', url: url.href };
  if (url.hostname === 'github.com' || url.hostname === 'ollama.com' || url.hostname === 'modelscope.cn') {
    throw problem(`${url.hostname} is not a hub that models are read from here. Look for the model on huggingface.co.`);
  }
  const message = `${short(text)} is no GGUF or safetensors file, and not on ${own.host}. Copy the address of the file itself`;
  throw problem(`${message}, or set ${url.host} as the hub if it is one.`);
}

function fromHubLink(url: URL, base: string): ModelAddress {
  const path = url.pathname.slice(base.replace(/\/$/, '').length).replace(/^\/+|\/+$/g, '');
  // A slash that is written as %2F belongs to the name of a branch.
  const parts = path
    .replace(/^api\/models\//, '')
    .replace(/^models\//, '')
    .split('/')
    .map(decode);
  const place = OTHER_PLACES[parts[0]!.toLowerCase()];
  if (place) throw notModel(url.href, place);
  const shown = url.searchParams.get('show_file_info');
  const [owner, named] = parts;
  if (!owner) throw problem(`${url.href} is the hub itself. Open a model's page there and paste its address.`);
  if (!named)
    throw problem(`${url.href} is the page of a publisher. Open one of the models there and paste its address.`);
  const [, name, variant] = /^([^:]+?)(?:\.git)?(?::(.+))?$/.exec(named) ?? [];
  const repo = `${owner}/${name ?? named}`;
  if (!REPO.test(repo)) throw badName(repo, url.href);
  const inside = parts.length > 2 ? pathIn(parts.slice(2)) : {};
  return hubAddress(repo, { ...inside, ...(shown !== null && { path: shown }), variant });
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw problem(`«${short(path)}» is not a whole address: there is a % without its number.`);
  }
}

/** Of a path that a person wrote, where a % may stand for itself. */
function decodeLoosely(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function notModel(address: string, what: string): StoreError {
  return problem(`${short(address)} is ${what}, not a model. Open the page of a model and paste its address.`);
}

function problem(message: string): StoreError {
  return new StoreError('address', message);
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** As people write it; `parseAddress` reads it back. */
export function formatAddress(address: ModelAddress): string {
  if (address.kind === 'pocket') return 'pocket';
  if (address.kind === 'url') return address.url;
  const { repo, revision, path, variant } = address;
  const at = revision ? `@${encodeURIComponent(revision)}` : '';
  return `${repo}${at}${variant ? `:${variant}` : ''}${path ? `/${formatPath(path)}` : ''}`;
}

/** Readable, but for what would be taken for something else. */
function formatPath(path: string): string {
  return path.replace(/[%?#\s\\]/g, encodeURIComponent);
}
