/**
 * Brings the missing bytes of a model's files into the depot: several connections, each taking a run of chunks at a time
 * and writing it down in parts. What is there is never fetched again; what did not work is tried again.
 *
 * A run is one request. It begins where the first of its chunks broke off, and ends with the last one's end, so that a
 * chunk's parts always are its beginning, without gaps.
 */
import type { Depot, FileId } from './depot';
import { StoreError } from './errors';
import { type Fetcher, type OpenedBytes, Passing } from './fetcher';
import { ChunkWriter, Lost, type WriterMemory, writerMemory } from './chunk-writer';
import { chunkCount, chunkLength, type FileProgress, type PlannedFile, type Plan, without } from './records';
import { type Patience, wait, waitBefore } from './retry';
import { Silence } from './silence';
import type { Slots } from './slots';

/**
 * Chunks of one request: a redirect and a start of the connection for each 16 MiB. Chromium takes from the network as much
 * as comes, and keeps in the page's heap what nobody has read yet: all of a request, at worst.
 */
const RUN_CHUNKS = 2;
/** Times that a file may be another one than before, until its server is believed to be out of its mind. */
const MOST_RESTARTS = 3;
/** Times that a server which knows ranges may send the whole file, until it is believed to know none any more. */
const MOST_SLIPS = 2;
/** Times that parts of a file may be gone when they are wanted. */
const MOST_LOSSES = 3;

export type Hold = { readonly why: Passing['why']; readonly until: number };

export interface TransferParts {
  readonly depot: Depot;
  readonly fetcher: Fetcher;
  /** Connections of all transfers together. */
  readonly slots: Slots;
  readonly patience: Patience;
  /** Where «online» is heard. */
  readonly network?: EventTarget | undefined;
  /** Bytes that came (or, negative, went) of a file of the plan. */
  readonly moved: (file: number, bytes: number) => void;
  /** Waiting, and for what; undefined: not any more. */
  readonly held: (hold: Hold | undefined) => void;
  /** The plan has to be written down anew. */
  readonly save: (files: readonly PlannedFile[]) => Promise<void>;
  /** What the source says of a file now; undefined where it says nothing but the bytes themselves. */
  readonly facts: (file: PlannedFile) => Promise<PlannedFile | undefined>;
}

/** Resolves when every chunk of every file is sealed. Rejects with a StoreError, or the signal's reason. */
export async function transfer(plan: Plan, parts: TransferParts, signal: AbortSignal): Promise<void> {
  const files = await Promise.all(
    plan.files.map(async (file, index) => {
      const id = { key: plan.key, file: index };
      return new FileTransfer(id, file, plan.chunkBytes, await parts.depot.progress(id));
    }),
  );
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  for (const file of files) await sealFull(file, parts);
  const work = new Work(files, parts, all);
  const workers = Array.from({ length: parts.slots.count }, () => work.worker());
  try {
    await Promise.all(workers);
  } catch (error) {
    stop.abort(error);
    // What they hold is written down before this is over.
    await Promise.allSettled(workers);
    throw error;
  } finally {
    parts.held(undefined);
  }
}

/** Chunks that have all their parts and no seal, since there was no room for it, or no time: nothing is to be fetched. */
async function sealFull(file: FileTransfer, { depot, moved }: TransferParts): Promise<void> {
  const full = [...file.begun].filter(([chunk, length]) => length >= file.lengthOf(chunk));
  if (full.length === 0) return;
  const writer = new ChunkWriter(depot, file, await writerMemory(), (bytes) => moved(file.id.file, bytes));
  for (const [chunk] of full) {
    await writer.sealFull(chunk).catch((error: unknown) => {
      if (!(error instanceof Lost)) throw error;
      file.lose();
    });
  }
}

/** What one request is for. */
interface Run {
  readonly start: number;
  readonly end: number;
  readonly chunks: readonly number[];
}

/** One file's state while its bytes come. */
class FileTransfer {
  readonly id: FileId;
  readonly chunkBytes: number;
  file: PlannedFile;
  /** Its server sends whole files only. */
  whole = false;
  /** Its server has sent a range, and how often it then sent something else in place of one. */
  ranged = false;
  slips = 0;
  restarts = 0;
  #losses = 0;
  /** Ends what is under way for this file. */
  stop = new AbortController();
  readonly running = new Set<Promise<void>>();
  restarting: Promise<void> | undefined;
  seals: Map<number, string>;
  begun: Map<number, number>;
  readonly #taken = new Set<number>();

  constructor(id: FileId, file: PlannedFile, chunkBytes: number, { seals, begun }: FileProgress) {
    this.id = id;
    this.file = file;
    this.chunkBytes = chunkBytes;
    this.seals = new Map(seals);
    this.begun = new Map(begun);
  }

  get done(): boolean {
    return this.seals.size === chunkCount(this.file.size, this.chunkBytes);
  }

  take(): Run | undefined {
    const chunks = this.whole ? this.#takeAll() : this.#takeSome();
    const [first] = chunks;
    if (first === undefined) return undefined;
    for (const chunk of chunks) this.#taken.add(chunk);
    const last = chunks.at(-1)!;
    const start = this.whole ? 0 : first * this.chunkBytes + (this.begun.get(first) ?? 0);
    return { start, end: last * this.chunkBytes + this.lengthOf(last), chunks };
  }

  release({ chunks }: Run): void {
    for (const chunk of chunks) this.#taken.delete(chunk);
  }

  /** Whoever takes the chunk next sees what is left of it; where that goes on and on, it is the disk. */
  lose(): void {
    this.#losses += 1;
    if (this.#losses <= MOST_LOSSES) return;
    const message = `What is written of ${this.file.path} is gone again at once. The disk may be failing.`;
    throw new StoreError('damaged', message);
  }

  lengthOf(chunk: number): number {
    return chunkLength(this.file.size, this.chunkBytes, chunk);
  }

  #takeAll(): number[] {
    if (this.done || this.running.size > 0 || this.#taken.size > 0) return [];
    return Array.from({ length: chunkCount(this.file.size, this.chunkBytes) }, (_, chunk) => chunk);
  }

  #takeSome(): number[] {
    const count = chunkCount(this.file.size, this.chunkBytes);
    const isFree = (chunk: number): boolean => chunk < count && !this.seals.has(chunk) && !this.#taken.has(chunk);
    const chunks: number[] = [];
    let first = 0;
    while (first < count && !isFree(first)) first += 1;
    for (let chunk = first; isFree(chunk) && chunks.length < RUN_CHUNKS; chunk++) {
      // A chunk that has a beginning already is where another run begins.
      if (chunk > first && this.begun.has(chunk)) break;
      chunks.push(chunk);
    }
    return chunks;
  }
}

/** The file on the server is another than the one that was begun. */
class Changed extends Error {
  constructor(
    readonly size: number,
    readonly version: string | undefined,
  ) {
    super('changed');
  }
}

/** The server sends whole files only. */
class NoRange extends Error {}

class Work {
  readonly #files: readonly FileTransfer[];
  readonly #parts: TransferParts;
  readonly #signal: AbortSignal;
  /** In a row, without a byte between them. What fails on several connections at once is one failure. */
  #failures = 0;
  /** No request before this time, by a clock that nobody sets (performance.now()). */
  #notBefore = 0;
  #saving: Promise<void> = Promise.resolve();

  constructor(files: readonly FileTransfer[], parts: TransferParts, signal: AbortSignal) {
    this.#files = files;
    this.#parts = parts;
    this.#signal = signal;
  }

  /** One connection: run after run, until there is none left. Whoever gives a run back comes round for it again. */
  async worker(): Promise<void> {
    const memory = await writerMemory();
    for (;;) {
      // Not with a slot in hand: other downloads may have a server that answers.
      await this.#pause();
      const before = this.#failures;
      const release = await this.#parts.slots.take(this.#signal);
      try {
        const found = this.#next();
        if (!found) return;
        await this.#attempt(found.file, found.run, memory, before);
      } finally {
        release();
      }
      for (const { restarting } of this.#files) await restarting;
    }
  }

  #next(): { file: FileTransfer; run: Run } | undefined {
    for (const file of this.#files) {
      const run = file.restarting ? undefined : file.take();
      if (run) return { file, run };
    }
    return undefined;
  }

  async #pause(): Promise<void> {
    const { network, held } = this.#parts;
    for (let left = this.#left; left > 0; left = this.#left) {
      // The network is back: what was waited for is over. Else somebody may have been told to wait longer meanwhile.
      if (await wait(left, this.#signal, network)) this.#notBefore = 0;
    }
    held(undefined);
  }

  get #left(): number {
    return this.#notBefore - performance.now();
  }

  async #attempt(file: FileTransfer, run: Run, memory: WriterMemory, before: number): Promise<void> {
    const signal = AbortSignal.any([this.#signal, file.stop.signal]);
    const receiving = this.#receive(file, run, memory, signal);
    const over = receiving.catch(() => undefined);
    file.running.add(over);
    let changed: Changed | undefined;
    try {
      await receiving;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof Changed) changed = error;
      else if (error instanceof NoRange) this.#withoutRange(file, before);
      else if (error instanceof Passing) this.#fail(error, before);
      else if (error instanceof Lost) file.lose();
      else if (!file.stop.signal.aborted) throw error;
    } finally {
      file.release(run);
      file.running.delete(over);
    }
    if (changed) await (file.restarting ??= this.#restart(file, changed));
  }

  /** One slip of a server is no reason to begin at the file's beginning. */
  #withoutRange(file: FileTransfer, before: number): void {
    file.slips += 1;
    if (file.ranged && file.slips <= MOST_SLIPS) this.#fail(slipped(file.file), before);
    else file.whole = true;
  }

  /**
   * Everybody waits as long as one was told to; beyond their patience it is an error.
   *
   * @param before how many failures there were when the attempt was let begin
   */
  #fail(error: Passing, before: number): void {
    const { patience, held } = this.#parts;
    this.#failures = Math.max(this.#failures, before + 1);
    if (this.#failures >= patience.tries) throw error.final;
    const ms = Math.max(this.#left, waitBefore(this.#failures, patience, error.after));
    this.#notBefore = performance.now() + ms;
    held({ why: error.why, until: Date.now() + ms });
  }

  async #receive(file: FileTransfer, run: Run, memory: WriterMemory, signal: AbortSignal): Promise<void> {
    const { depot, fetcher, patience, moved } = this.#parts;
    const writer = new ChunkWriter(depot, file, memory, (bytes) => {
      // What is new: a server that sends the same beginning over and over does not get anywhere.
      if (bytes > 0) this.#failures = 0;
      moved(file.id.file, bytes);
    });
    await writer.begin(run.start);
    const silence = new Silence(patience.silence);
    try {
      const opened = await fetcher.open(file.file, run.start, run.end, AbortSignal.any([signal, silence.signal]));
      await this.#check(file, run, opened);
      await this.#pour(opened, run, writer, silence);
    } catch (error) {
      signal.throwIfAborted();
      throw silence.signal.aborted ? broken(file.file, 'falls silent', 'network') : error;
    } finally {
      silence.end();
      await writer.end();
    }
  }

  async #check(file: FileTransfer, run: Run, opened: OpenedBytes): Promise<void> {
    const refuse = async (error: Error): Promise<never> => {
      await opened.bytes.cancel();
      throw error;
    };
    const { version, size } = file.file;
    if (opened.size !== size) await refuse(new Changed(opened.size, opened.version));
    if (version !== undefined && opened.version !== version) await refuse(new Changed(opened.size, opened.version));
    if (opened.first !== run.start || opened.end !== run.end) await refuse(new NoRange());
    file.ranged ||= !file.whole && (run.start > 0 || run.end < size);
    if (version === undefined && opened.version !== undefined) {
      file.file = { ...file.file, version: opened.version };
      await this.#save();
    }
  }

  async #pour({ bytes: reader }: OpenedBytes, run: Run, writer: ChunkWriter, silence: Silence): Promise<void> {
    let left = run.end - run.start;
    try {
      while (left > 0) {
        const bytes = await silence.within(
          reader.read().catch((cause: unknown) => {
            throw broken(writer.file, 'broke', 'network', cause);
          }),
        );
        if (!bytes) break;
        if (bytes.length > left)
          throw new StoreError('server', `More bytes of ${writer.path} came than were asked for.`);
        left -= bytes.length;
        await writer.write(bytes);
      }
    } finally {
      // Not awaited: of a connection that is gone nothing more comes.
      reader.cancel().catch(() => undefined);
    }
    if (left > 0) throw broken(writer.file, 'ended early', 'broken');
  }

  /** Begins a file anew, where it is another one; bytes of the two are never mixed. */
  async #restart(file: FileTransfer, { size, version }: Changed): Promise<void> {
    const { depot, moved, facts } = this.#parts;
    file.stop.abort();
    await Promise.all(file.running);
    const now = await facts(file.file);
    const hash = now?.sha256 ?? now?.gitOid;
    const same = now !== undefined && size === file.file.size && hash === (file.file.sha256 ?? file.file.gitOid);
    if (now !== undefined && size !== now.size) {
      const message = `${file.file.path} has ${size} bytes where ${now.size} were promised. The server has another file under its name.`;
      throw new StoreError('wrong-bytes', message);
    }
    file.restarts += 1;
    if (file.restarts > MOST_RESTARTS) {
      throw new StoreError('server', `${file.file.path} is another file at each request. Use another server.`);
    }
    // A hub that promises the same hash has moved the file to where it has another name: the hash decides in the end.
    if (!same) {
      await depot.dropFile(file.id);
      moved(file.id.file, -Infinity);
      file.seals = new Map();
      file.begun = new Map();
    }
    file.file = { ...without(now ?? file.file, 'version'), size, ...(version !== undefined && { version }) };
    await this.#save();
    file.stop = new AbortController();
    file.restarting = undefined;
  }

  #save(): Promise<void> {
    const files = this.#files.map(({ file }) => file);
    this.#saving = this.#saving.then(() => this.#parts.save(files));
    return this.#saving;
  }
}

function slipped({ url, path }: PlannedFile): Passing {
  const message = `${new URL(url!).host} sends another part of ${path} than was asked for. What came so far is kept.`;
  return new Passing('broken', undefined, new StoreError('server', message));
}

function broken({ url, path }: PlannedFile, how: string, why: Passing['why'], cause?: unknown): Passing | StoreError {
  if (url === undefined) {
    const message = `${path} cannot be read any more: it was changed, moved, or its disk is gone. Choose it again.`;
    return new StoreError('files', message, { cause });
  }
  const message = `The connection to ${new URL(url).host} ${how} again and again. What came so far is kept.`;
  return new Passing(why, undefined, new StoreError('network', message, { cause }));
}
