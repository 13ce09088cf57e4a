/**
 * What the app keeps as a site of its own, for a frame of it in somebody else's page, which has a handle on it
 * (src/lib/widget/frame/access.ts).
 *
 * Models alone are looked for there, and what is read are handles on bytes, which go on to the engine's worker as they are.
 */
import { plainName } from '$lib/weights';
import type { WorkerLine } from './client';
import { IdbDepot } from './idb-depot';
import type { FromWorker, ToWorker } from './protocol';
import type { Manifest, Plan } from './records';
import workerUrl from './shared-worker.ts?sharedworker&url';

/** Of Chromium's, what is used here. */
export interface SiteHandle {
  readonly indexedDB: IDBFactory;
  /** A function here, no class. Not on every system that has the rest. */
  SharedWorker?(url: string, options: WorkerOptions): SharedWorker;
}

export class SiteModels {
  readonly #handle: SiteHandle;
  readonly #depot: IdbDepot;

  constructor(handle: SiteHandle) {
    this.#handle = handle;
    this.#depot = new IdbDepot({ factory: handle.indexedDB });
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
