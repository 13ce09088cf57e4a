/**
 * What a process has in memory, sampled while it works.
 *
 * Linux tells data from code: pages of programs come in as they are called, among them those of a driver's compiler of
 * 50 MB, and go out again when memory is short. Elsewhere all of it counts as data.
 */
import { openSync, readSync } from 'node:fs';
import type { Gpu } from '$gpu/device';
import { withSomeProduct } from '$lib/engine/bench/product';
import { stopwatchTime } from '$lib/engine/bench/stopwatch';

/** Bytes. */
export interface Memory {
  /** What the process has allocated; lavapipe's GPU memory too. */
  readonly data: number;
  readonly code: number;
}

const SAMPLE_MS = 5;

/** Opened once, and read into the same place: a sampler that leaves garbage measures itself. */
const status = openStatus();
const text = Buffer.alloc(4096);
const NAMES = { all: Buffer.from('VmRSS:'), code: Buffer.from('RssFile:') };

export function memoryNow(): Memory {
  if (status === undefined) return { data: process.memoryUsage.rss(), code: 0 };
  const length = readSync(status, text, 0, text.length, 0);
  const code = bytesBehind(NAMES.code, length);
  return { data: bytesBehind(NAMES.all, length) - code, code };
}

function openStatus(): number | undefined {
  try {
    return openSync('/proc/self/status', 'r');
  } catch {
    return undefined;
  }
}

/** «RssFile:    1234 kB» */
function bytesBehind(name: Buffer, length: number): number {
  const [zero, nine, newline] = [48, 57, 10];
  let value = 0;
  for (let at = text.indexOf(name) + name.length; at < length && text[at] !== newline; at++) {
    const byte = text[at]!;
    if (byte >= zero && byte <= nine) value = value * 10 + byte - zero;
  }
  return value * 1024;
}

/** The most of each kind since it was last taken. */
export class MemoryPeak {
  #peak = memoryNow();
  readonly #timer = setInterval(() => this.#sample(), SAMPLE_MS);

  /** Begins anew. */
  take(): Memory {
    this.#sample();
    const peak = this.#peak;
    this.#peak = memoryNow();
    return peak;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const { data, code } = memoryNow();
    this.#peak = { data: Math.max(data, this.#peak.data), code: Math.max(code, this.#peak.code) };
  }
}

const SETTLE_MS = 1500;

/**
 * While a promise of its waits, Dawn in Node looks for its end in every turn of the event loop, and each turn leaves
 * garbage: the first wait of a second lets V8's heap for young objects grow by some 40 MB, whoever waits and for
 * whatever. So it grows before anything is measured.
 */
export async function settleHeap(gpu: Gpu): Promise<void> {
  const end = performance.now() + SETTLE_MS;
  await withSomeProduct(gpu, async (encode) => {
    while (performance.now() < end) await stopwatchTime(gpu, encode, 'wall', 0);
  });
  gpu.trim();
}
