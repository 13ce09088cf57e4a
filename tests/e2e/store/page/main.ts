/** A page with the store and nothing else, and what tests do to it from outside. */
import { ModelsClient } from '$lib/store/client';
import { DATABASE, IdbDepot, MIGRATIONS } from '$lib/store/idb-depot';
import { droppedFiles, type HubSettings, type StoreState } from '$lib/store';

const depot = new IdbDepot();
let client: ModelsClient;

/** What is dropped on the page is taken in. */
let adding: Promise<string> | undefined;
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  adding = droppedFiles(event.dataTransfer!).then((files) => client.add(files));
});

async function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.result.createObjectStore('texts');
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error!);
  });
}

function finish<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error!);
  });
}

const harness = {
  /** Opens the store as a page does at its start. */
  async start(hub: string): Promise<void> {
    client = new ModelsClient({ witness: localStorage });
    await client.setHub({ hub, keep: 'device' } satisfies HubSettings);
  },
  get state(): StoreState {
    return client.state;
  },
  async download(address: string): Promise<string> {
    const { choices } = await client.look(address);
    return client.download(choices[0]!);
  },
  /** The id of what was dropped last. */
  added: () => adding,
  resume: (id: string) => client.resume(id),
  pause: (id: string) => client.pause(id),
  remove: (id: string) => client.remove(id),
  verify: (id: string) => client.verify(id),
  /** SHA-256 of a whole model's only file, computed from what is stored. */
  async hashOf(id: string): Promise<string> {
    const manifest = (await depot.manifests()).find((found) => found.id === id)!;
    const [file] = manifest.files;
    const bytes = await depot.source(manifest, file!).read(0, file!.size);
    const hash = await crypto.subtle.digest('SHA-256', new Uint8Array(bytes));
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  },
  /** SHA-256 of a whole model's only file, as the store found it when it read the file back. */
  async fileHashOf(id: string): Promise<string> {
    return (await depot.manifests()).find((found) => found.id === id)!.files[0]!.sha256;
  },
  /** What a failing disk does: a byte of a chunk is another one. */
  async corrupt(id: string, chunk: number): Promise<void> {
    const manifest = (await depot.manifests()).find((found) => found.id === id)!;
    const database = await openDatabase(DATABASE);
    const key = [manifest.key, 0, chunk];
    const blob = await finish(database.transaction('chunks').objectStore('chunks').get(key) as IDBRequest<Blob>);
    const bytes = new Uint8Array(await blob.arrayBuffer());
    bytes[12345]! ^= 1;
    await finish(
      database
        .transaction('chunks', 'readwrite')
        .objectStore('chunks')
        .put(new Blob([bytes]), key),
    );
    database.close();
  },
  /** What a version to come does when it is opened: it waits for this one to step aside. Tells the models it finds. */
  async upgrade(): Promise<string[]> {
    const later = new IdbDepot({}, DATABASE, [...MIGRATIONS, (database) => void database.createObjectStore('later')]);
    return (await later.manifests()).map(({ id }) => id);
  },
  /** Something that is not the store's: a conversation. */
  async say(text: string): Promise<void> {
    const database = await openDatabase('chats');
    await finish(database.transaction('texts', 'readwrite').objectStore('texts').put(text, 1));
    database.close();
  },
  async said(): Promise<string> {
    const database = await openDatabase('chats');
    const text = await finish(database.transaction('texts').objectStore('texts').get(1) as IDBRequest<string>);
    database.close();
    return text;
  },
};

export type Harness = typeof harness;
declare global {
  // The page's own, as tests in Node see it through `evaluate`.
  var store: Harness;
}
globalThis.store = harness;
