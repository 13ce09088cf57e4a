/**
 * One model on its way: waits for its lock, makes sure there is room, brings the bytes, reads them all back, and writes
 * the manifest last. Stopped at any moment, or killed, it goes on from what is written down.
 */
import { type Checked, checkFile } from './check';
import type { Depot } from './depot';
import { failureOf, StoreError } from './errors';
import type { Fetcher } from './fetcher';
import type { Locks } from './locks';
import { Meter } from './meter';
import {
  bytesOf,
  bytesThere,
  chunkCount,
  type Manifest,
  type Plan,
  type PlannedFile,
  ROOM_BESIDE,
  type StoredFile,
  without,
} from './records';
import type { Patience } from './retry';
import type { Slots } from './slots';
import { freeOf, type ModelState, type ModelStatus } from './state';
import { type Hold, transfer } from './transfer';
import { sizeText } from './words';

/** Times that what was read back may be wrong, until it is the server, or the disk, that is. */
const MOST_ROUNDS = 3;

export interface JobParts {
  readonly depot: Depot;
  readonly locks: Locks;
  readonly slots: Slots;
  readonly patience: Patience;
  readonly network: EventTarget | undefined;
  readonly fetcherFor: (plan: Plan) => Fetcher;
  /** What the model's source says of a file now. */
  readonly factsOf: (plan: Plan, file: PlannedFile) => Promise<PlannedFile | undefined>;
  /** `status`: more than figures changed. */
  readonly changed: (what: 'status' | 'figures') => void;
}

export class Job {
  readonly id: string;
  plan: Plan;
  /** Settled when it is over, in whatever way; never rejects. */
  readonly over: Promise<void>;
  readonly #parts: JobParts;
  readonly #stop = new AbortController();
  readonly #meter = new Meter();
  #status: ModelStatus = 'queued';
  #hold: Hold | undefined;
  #done: number[] = [];
  #read = 0;
  /** Whether it holds the lock. */
  #here = false;

  constructor(plan: Plan, parts: JobParts) {
    this.id = plan.id;
    this.plan = plan;
    this.#parts = parts;
    this.over = this.#run();
  }

  /** It was stopped by a person, and stays so. */
  async pause(): Promise<void> {
    this.#stop.abort(new DOMException('paused', 'AbortError'));
    await this.over;
  }

  get here(): boolean {
    return this.#here;
  }

  get state(): ModelState {
    const { plan } = this;
    const bytes = bytesOf(plan.files);
    const done = this.#status === 'checking' ? this.#read : this.#done.reduce((sum, file) => sum + file, 0);
    const rate = this.#status === 'downloading' || this.#status === 'checking' ? this.#meter.rate() : undefined;
    return {
      id: plan.id,
      name: plan.name,
      origin: plan.origin,
      ...(plan.license !== undefined && { license: plan.license }),
      status: this.#status,
      files: plan.files.map((file, i) => ({ path: file.path, bytes: file.size, done: this.#done[i] ?? 0 })),
      bytes,
      done,
      ...(rate !== undefined && { bytesPerSecond: rate }),
      ...(rate !== undefined && rate > 0 && { secondsLeft: (bytes - done) / rate }),
      ...(this.#hold && { hold: this.#hold }),
      ...(plan.failure && { failure: plan.failure }),
      here: this.#here,
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    try {
      await this.#parts.locks.hold(`model:${this.id}`, signal, async () => {
        this.#here = true;
        try {
          await this.#hasLock(signal);
        } finally {
          this.#here = false;
        }
      });
    } catch (error) {
      // Only the wait for the lock ends here: what happens with it is seen to by #hasLock.
      this.#status = signal.aborted ? 'paused' : 'failed';
      if (!signal.aborted) this.plan = { ...this.plan, failure: failureOf(error) };
    }
    this.#parts.changed('status');
  }

  async #hasLock(signal: AbortSignal): Promise<void> {
    const { depot } = this.#parts;
    try {
      const plan = (await depot.plans()).find(({ id }) => id === this.id);
      // Another tab has finished it, removed it, or been told to pause it, while this one waited.
      if (!plan || plan.paused) return;
      this.plan = plan;
      if (plan.failure) await this.#save({ ...withoutFailure(plan) });
      await this.#measure();
      await this.#requireRoom();
      await this.#bring(signal);
      this.#status = 'whole';
    } catch (error) {
      this.#hold = undefined;
      if (signal.aborted) this.#status = 'paused';
      else await this.#fail(error);
    }
  }

  async #fail(error: unknown): Promise<void> {
    this.#status = 'failed';
    const failed = { ...this.plan, failure: failureOf(error) };
    this.plan = failed;
    // Where nothing can be written any more, the page still is told.
    await this.#parts.depot.putPlan(failed).catch(() => undefined);
  }

  async #measure(): Promise<void> {
    const { key, files, chunkBytes } = this.plan;
    this.#done = await Promise.all(
      files.map(async (file, index) =>
        bytesThere(file, chunkBytes, await this.#parts.depot.progress({ key, file: index })),
      ),
    );
    this.#set('downloading');
  }

  /** Before the first byte: who will not have room is told so now, not after an hour. */
  async #requireRoom(): Promise<void> {
    const free = freeOf(await this.#parts.depot.space());
    const missing = bytesOf(this.plan.files) - this.#done.reduce((sum, file) => sum + file, 0);
    if (free === undefined || missing === 0 || missing + ROOM_BESIDE <= free) return;
    const message =
      `${this.plan.name} needs ${sizeText(missing + ROOM_BESIDE)}, and the browser gives this page no more than ` +
      `${sizeText(free)} of the disk (private windows get little). Delete a model, or make room on the disk.`;
    throw new StoreError('quota', message);
  }

  async #bring(signal: AbortSignal): Promise<void> {
    const { depot, slots, patience, network, fetcherFor, factsOf } = this.#parts;
    for (let round = 1; ; round++) {
      const { plan } = this;
      await transfer(
        plan,
        {
          depot,
          fetcher: fetcherFor(plan),
          slots,
          patience,
          network,
          moved: (file, bytes) => this.#moved(file, bytes),
          held: (hold) => this.#held(hold),
          save: (files) => this.#save({ ...this.plan, files }),
          facts: (file) => factsOf(plan, file),
        },
        signal,
      );
      const stored = await this.#check(round, signal);
      if (!stored) continue;
      const manifest = manifestOf(this.plan, stored);
      const before = (await depot.manifests()).find(({ id }) => id === this.id);
      await depot.commit(manifest);
      if (before && before.key !== manifest.key) await depot.dropKey(before.key);
      return;
    }
  }

  /** Reads every file back. Undefined: something was wrong, was taken out, and is to be fetched again. */
  async #check(round: number, signal: AbortSignal): Promise<StoredFile[] | undefined> {
    const { depot } = this.#parts;
    this.#meter.reset();
    this.#read = 0;
    this.#set('checking');
    const { key, files, chunkBytes } = this.plan;
    const stored: StoredFile[] = [];
    let right = true;
    for (const [index, file] of files.entries()) {
      const id = { key, file: index };
      const { seals } = await depot.progress(id);
      const onBytes = (bytes: number): void => {
        this.#read += bytes;
        this.#meter.add(bytes);
        this.#parts.changed('figures');
      };
      const checked = await checkFile(depot, id, file, seals, { chunkBytes, signal, onBytes });
      if (checked.right && checked.sha256 !== undefined)
        stored.push(storedFile(file, checked.sha256, seals, chunkBytes));
      else {
        right = false;
        if (round >= MOST_ROUNDS) throw neverRight(file, checked);
        await this.#takeOut(index, checked);
      }
    }
    if (right) return stored;
    this.#meter.reset();
    await this.#measure();
    return undefined;
  }

  /** Bad chunks alone; all of a file that is well kept and still not what was promised. */
  async #takeOut(index: number, { bad }: Checked): Promise<void> {
    const { depot } = this.#parts;
    const id = { key: this.plan.key, file: index };
    for (const chunk of bad) await depot.dropChunk(id, chunk);
    if (bad.length === 0) await depot.dropFile(id);
  }

  #moved(file: number, bytes: number): void {
    this.#done[file] = Math.max(0, (this.#done[file] ?? 0) + bytes);
    if (bytes > 0) this.#meter.add(bytes);
    this.#parts.changed('figures');
  }

  #held(hold: Hold | undefined): void {
    if (this.#hold === hold) return;
    this.#hold = hold;
    if (hold) this.#meter.reset();
    this.#set(hold ? 'waiting' : 'downloading');
  }

  #set(status: ModelStatus): void {
    this.#status = status;
    this.#parts.changed('status');
  }

  async #save(plan: Plan): Promise<void> {
    this.plan = plan;
    await this.#parts.depot.putPlan(plan);
  }
}

export function withoutFailure(plan: Plan): Plan {
  return without(plan, 'failure');
}

function storedFile(
  file: PlannedFile,
  sha256: string,
  seals: ReadonlyMap<number, string>,
  chunkBytes: number,
): StoredFile {
  const chunks = Array.from({ length: chunkCount(file.size, chunkBytes) }, (_, chunk) => seals.get(chunk)!);
  return { ...file, sha256, chunks };
}

function manifestOf(plan: Plan, files: readonly StoredFile[]): Manifest {
  const { id, key, name, origin, license, chunkBytes } = plan;
  const now = Date.now();
  return {
    id,
    key,
    name,
    origin,
    ...(license !== undefined && { license }),
    chunkBytes,
    files,
    addedAt: now,
    checkedAt: now,
  };
}

function neverRight({ path }: PlannedFile, { bad }: Checked): StoreError {
  if (bad.length > 0) {
    return new StoreError(
      'damaged',
      `What is written of ${path} reads back otherwise, again and again. The disk may be failing.`,
    );
  }
  const message = `${path} is not what its hub promises: its SHA-256 is another, each time. Try another server, and tell the publisher.`;
  return new StoreError('wrong-bytes', message);
}
