/** A download that is killed at random bytes, over and over, until it is whole. */
import { createHash } from 'node:crypto';
import type { Page } from 'playwright';
import { expect, vi } from 'vitest';
import { madeUpContent } from '../../hub/content.js';
import { type Hub, startHub } from '../../hub/hub.js';
import { StoreBrowser } from './browser';

export const MIB = 2 ** 20;
export const FILE = 'model-q8_0.gguf';
export const REPO = 'me/model';
/** Of the store, in a page. */
const CONNECTIONS = 4;

export type Way = 'tab closed' | 'network cut' | 'browser killed';
const WAYS: readonly Way[] = ['tab closed', 'network cut', 'browser killed'];

/** 0 to 1, the same for the same seed (Mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function hashOf(size: number, seed?: number): string {
  const content = madeUpContent(size, seed);
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += MIB) hash.update(content.at(at, Math.min(MIB, size - at)));
  return hash.digest('hex');
}

export function openHub(size: number, rate?: number): Promise<Hub> {
  return startHub({
    repos: { [REPO]: { files: { [FILE]: madeUpContent(size) } } },
    ...(rate !== undefined && { rate }),
  });
}

export interface KillReport {
  readonly kills: Readonly<Record<Way, number>>;
  /** Bytes that the server sent more than once. */
  readonly again: number;
}

/**
 * Downloads so many bytes through so many kills, checks the hash at the end and that little came twice: at most 1 MiB a
 * connection and kill.
 */
export async function surviveKills(count: number, size: number, seed: number): Promise<KillReport> {
  const next = random(seed);
  // So that the last kill comes before the end, they are spread over the file, each at a random byte of its stretch.
  const stretch = (size * 0.97) / count;
  // As fast as a good line. What a browser cannot take in as fast as it comes lies in the system's buffers, which a kill
  // empties too; no program can help that.
  const hub = await openHub(size, 4 * MIB);
  const browser = await StoreBrowser.open();
  const kills = { 'tab closed': 0, 'network cut': 0, 'browser killed': 0 };
  try {
    let page = await browser.page(hub.url);
    const id = await page.evaluate((repo) => globalThis.store.download(repo), REPO);
    for (let kill = 0; kill < count; kill++) {
      const at = Math.floor(stretch * (kill + next()));
      await vi
        .waitUntil(() => hub.log.sent(FILE) - hub.log.sentAgain(FILE) >= at, { timeout: 120_000, interval: 4 })
        .catch(async () => {
          const state = await page.evaluate(() => globalThis.store.state).catch(String);
          throw new Error(`stood still before kill ${kill} of seed ${seed}: ${JSON.stringify({ kills, at, state })}`);
        });
      const way = WAYS[Math.floor(next() * WAYS.length)]!;
      kills[way] += 1;
      page = await strike(way, browser, page, hub);
    }
    await whole(page, id);
    expect(await page.evaluate((model) => globalThis.store.hashOf(model), id)).toBe(hashOf(size));
    const again = hub.log.sentAgain(FILE);
    expect(again).toBeLessThanOrEqual(count * CONNECTIONS * MIB);
    return { kills, again };
  } finally {
    await browser.close();
    hub.close();
  }
}

/** Returns the page that goes on, by itself. */
async function strike(way: Way, browser: StoreBrowser, page: Page, hub: Hub): Promise<Page> {
  if (way === 'network cut') {
    hub.cutAll();
    return page;
  }
  if (way === 'tab closed') {
    await page.close();
  } else {
    await browser.kill();
    hub.cutAll();
    await browser.launch();
  }
  return browser.page(hub.url);
}

export async function whole(page: Page, id: string, timeout = 120_000): Promise<void> {
  const status = (model: string): string | undefined =>
    globalThis.store.state.models.find((found) => found.id === model)?.status;
  await page.waitForFunction(
    (model) => {
      const found = globalThis.store.state.models.find((candidate) => candidate.id === model);
      return found?.status === 'whole' || found?.status === 'failed' || found?.status === 'damaged';
    },
    id,
    { timeout },
  );
  expect(await page.evaluate(status, id)).toBe('whole');
}
