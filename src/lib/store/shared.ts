/**
 * What the app keeps as a site of its own, for a frame of it in somebody else's page. Browsers keep a frame's storage by
 * the site around it; Chromium gives the frame its own site's on request, by handles (Storage Access, «non-cookie
 * storage»: https://privacycg.github.io/saa-non-cookie-storage/). Where that is not to be had, it is as if there were none.
 *
 * Models alone are looked for there, and what is read are handles on bytes, which go on to the engine's worker as they are.
 */
import { plainName } from '$lib/weights';
import type { WorkerLine } from './client';
import { IdbDepot } from './idb-depot';
import type { FromWorker, ToWorker } from './protocol';
import type { Manifest, Plan } from './records';
import workerUrl from './shared-worker.ts?sharedworker&url';

/** As far as it is used here. */
interface Handle {
  readonly indexedDB: IDBFactory;
  /** A function here, no class. Not on every system that has the rest. */
  SharedWorker?(url: string, options: WorkerOptions): SharedWorker;
}

/** The two came together. */
interface Access {
  requestStorageAccess(types: { readonly indexedDB: true; readonly SharedWorker: true }): Promise<Handle>;
  hasUnpartitionedCookieAccess(): Promise<boolean>;
}

/** Other browsers take no wishes: they would ask for cookies, which nobody wants here. */
function access(): (Document & Access) | undefined {
  return 'hasUnpartitionedCookieAccess' in document ? (document as Document & Access) : undefined;
}

/** Whether asking for it may be answered, if need be by the person. */
export async function mayAskForSite(): Promise<boolean> {
  return access() !== undefined && (await permission()) === 'prompt';
}

export class SiteModels {
  readonly #handle: Handle;
  readonly #depot: IdbDepot;

  constructor(handle: Handle) {
    this.#handle = handle;
    this.#depot = new IdbDepot({ factory: handle.indexedDB });
  }

  /**
   * @param how `quietly`: only where the browser has been told already. `asked`: it may ask the person, who has just
   *   pressed something; it does so only where they have used the app itself before.
   */
  static async open(how: 'quietly' | 'asked'): Promise<SiteModels | undefined> {
    const page = access();
    if (!page) return undefined;
    try {
      if (how === 'quietly' && !(await isGiven(page))) return undefined;
      return new SiteModels(await page.requestStorageAccess({ indexedDB: true, SharedWorker: true }));
    } catch {
      // Refused, by the browser or the person.
      return undefined;
    }
  }

  /** Whole models. */
  manifests(): Promise<readonly Manifest[]> {
    return this.#depot.manifests();
  }

  /** Models on their way. */
  plans(): Promise<readonly Plan[]> {
    return this.#depot.plans();
  }

  /** A whole model's files: handles, no bytes. Rejects with a StoreError where some are not there any more. */
  files(manifest: Manifest): Promise<File[]> {
    return Promise.all(
      manifest.files.map(async (file) => {
        const source = this.#depot.source(manifest, file);
        return new File([await source.blob()], plainName(file.path));
      }),
    );
  }

  /** To a worker that downloads into this storage; undefined where there can be none. */
  line(): WorkerLine | undefined {
    const worker = this.#handle.SharedWorker?.(workerUrl, { type: 'module', name: 'fireside-store' });
    return worker && new SharedLine(worker);
  }

  close(): void {
    this.#depot.close();
  }
}

async function isGiven(page: Access): Promise<boolean> {
  return (await permission()) === 'granted' || page.hasUnpartitionedCookieAccess();
}

async function permission(): Promise<PermissionState> {
  return (await navigator.permissions.query({ name: 'storage-access' })).state;
}

class SharedLine implements WorkerLine {
  readonly #worker: SharedWorker;

  constructor(worker: SharedWorker) {
    this.#worker = worker;
    worker.port.start();
  }

  postMessage(message: ToWorker): void {
    this.#worker.port.postMessage(message);
  }

  addEventListener(type: 'message', listener: (event: MessageEvent<FromWorker>) => void): void;
  addEventListener(type: 'error', listener: (event: { readonly message?: string }) => void): void;
  addEventListener(type: 'message' | 'error', listener: (event: MessageEvent<FromWorker> & ErrorEvent) => void): void {
    const target: EventTarget = type === 'message' ? this.#worker.port : this.#worker;
    target.addEventListener(type, listener as (event: Event) => void);
  }

  close(): void {
    this.postMessage({ type: 'close' });
    this.#worker.port.close();
  }
}
