/** The records as the state shows them: what is written down, what other tabs tell, and what went missing. */
import type { Depot, Space } from './depot';
import type { StoreFailure } from './errors';
import { bytesOf, bytesThere, type Manifest, type ModelKey, type Plan, without } from './records';
import type { ModelState, StoreState } from './state';

/** What another tab has told is believed for so long. */
const HEARSAY_MS = 3000;

export class Records {
  plans: Plan[] = [];
  manifests: Manifest[] = [];
  /** Whole models that are being read back: bytes so far. */
  readonly checking = new Map<string, number>();
  failure: StoreFailure | undefined;
  readonly #depot: Depot;
  readonly #persisted: () => Promise<boolean | undefined>;
  readonly #heard = new Map<string, { readonly at: number; readonly model: ModelState }>();
  readonly #there = new Map<ModelKey, readonly number[]>();
  #space: Space | undefined;
  #isPersisted: boolean | undefined;
  #ready = false;

  constructor(depot: Depot, persisted: () => Promise<boolean | undefined>) {
    this.#depot = depot;
    this.#persisted = persisted;
  }

  async load(): Promise<void> {
    const depot = this.#depot;
    [this.plans, this.manifests, this.#space, this.#isPersisted] = await Promise.all([
      depot.plans(),
      depot.manifests(),
      depot.space(),
      this.#persisted(),
    ]);
    for (const { key, files, chunkBytes } of this.plans) {
      const there = files.map(async (file, index) =>
        bytesThere(file, chunkBytes, await depot.progress({ key, file: index })),
      );
      this.#there.set(key, await Promise.all(there));
    }
    this.failure = undefined;
    this.#ready = true;
  }

  /** Takes out bytes that no record names: of deletions and updates that were cut off. */
  async sweep(): Promise<void> {
    // In this order: whoever begins a download writes its plan before its first byte.
    const keys = await this.#depot.keys();
    const [plans, manifests] = await Promise.all([this.#depot.plans(), this.#depot.manifests()]);
    const named = new Set([...plans, ...manifests].map(({ key }) => key));
    for (const key of keys) if (!named.has(key)) await this.#depot.dropKey(key);
  }

  /** Whole models that have lost chunks become plans again, which say so. */
  async noticeLosses(): Promise<void> {
    const plans = await this.#depot.plans();
    for (const manifest of await this.#depot.manifests()) {
      const expected = manifest.files.reduce((sum, { chunks }) => sum + chunks.length, 0);
      const there = await this.#depot.countChunks(manifest.key);
      const isUpdated = plans.some(({ id }) => id === manifest.id);
      if (there < expected && !isUpdated) await this.#depot.reopen(damagedPlan(manifest, expected - there));
    }
  }

  hear(model: ModelState): void {
    this.#heard.set(model.id, { at: performance.now(), model: { ...model, here: false } });
  }

  state(jobs: ReadonlyMap<string, ModelState>): StoreState {
    const plans = this.plans.map((plan) => this.#planState(plan, jobs.get(plan.id)));
    const begun = new Set(plans.map(({ id }) => id));
    const whole = this.manifests.filter(({ id }) => !begun.has(id)).map((manifest) => this.#wholeState(manifest));
    const models = [...whole, ...plans].sort((a, b) => a.name.localeCompare(b.name));
    return {
      ready: this.#ready,
      models,
      space: this.#space,
      stored: models.reduce((sum, { status, bytes, done }) => sum + (status === 'checking' ? bytes : done), 0),
      persisted: this.#isPersisted,
      evicted: [],
      ...(this.failure && { trouble: this.failure }),
    };
  }

  #planState(plan: Plan, job: ModelState | undefined): ModelState {
    const heard = this.#heard.get(plan.id);
    const isFresh = heard !== undefined && performance.now() - heard.at < HEARSAY_MS;
    if (job && (job.here || !isFresh)) return job;
    if (isFresh) return heard.model;
    const done = this.#there.get(plan.key) ?? [];
    const stopped = plan.failure ? (plan.failure.problem === 'damaged' ? 'damaged' : 'failed') : 'paused';
    return {
      ...common(plan),
      status: stopped,
      files: plan.files.map(({ path, size }, i) => ({ path, bytes: size, done: done[i] ?? 0 })),
      bytes: bytesOf(plan.files),
      done: done.reduce((sum, bytes) => sum + bytes, 0),
      ...(plan.failure && { failure: plan.failure }),
    };
  }

  #wholeState(manifest: Manifest): ModelState {
    const bytes = bytesOf(manifest.files);
    const read = this.checking.get(manifest.id);
    return {
      ...common(manifest),
      status: read === undefined ? 'whole' : 'checking',
      files: manifest.files.map(({ path, size }) => ({ path, bytes: size, done: size })),
      bytes,
      done: read ?? bytes,
      addedAt: manifest.addedAt,
      checkedAt: manifest.checkedAt,
    };
  }
}

function common({ id, name, origin, license }: Plan | Manifest) {
  return { id, name, origin, ...(license !== undefined && { license }), here: false };
}

/** A whole model's record as a plan that has nearly everything: the bad chunks alone are missing. */
export function damagedPlan(manifest: Manifest, chunks: number): Plan {
  const { id, key, name, origin, license, chunkBytes, files } = manifest;
  const how = chunks === 1 ? 'One part' : `${chunks} parts`;
  const message = `${how} of ${name} went missing or changed on this device. Repairing fetches that alone.`;
  return {
    ...{ id, key, name, origin, chunkBytes, begunAt: Date.now(), paused: false },
    files: files.map((file) => without(file, 'chunks')),
    ...(license !== undefined && { license }),
    failure: { problem: 'damaged', message },
  };
}
