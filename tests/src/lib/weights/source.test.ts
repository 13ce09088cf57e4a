import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobSource, type ByteSource, memorySource } from '$lib/weights';
import { openFile } from '$lib/weights/node-source';
import { counting } from './files';

const bytes = counting(1000);
let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fireside-source-'));
  path = join(folder, 'weights.bin');
  await writeFile(path, bytes);
});
afterAll(() => rm(folder, { recursive: true }));

const SOURCES: readonly (readonly [string, () => Promise<ByteSource> | ByteSource])[] = [
  ['memory', () => memorySource(bytes)],
  ['a Blob', () => blobSource(new Blob([bytes.slice()]))],
  ['a file under Node', () => openFile(path)],
];

describe.each(SOURCES)('%s', (_, open) => {
  it('reads what it is asked for', async () => {
    const source = await open();
    expect(source.size).toBe(1000);
    expect(new Uint8Array(await source.read(0, 1000))).toEqual(bytes);
    expect(new Uint8Array(await source.read(990, 10))).toEqual(bytes.subarray(990));
    expect((await source.read(1000, 0)).length).toBe(0);
    await source.close?.();
  });

  it('reads into memory that is there', async () => {
    const source = await open();
    if (!source.readInto) return;
    const target = new Uint8Array(20);
    await source.readInto(target.subarray(5, 15), 100);
    expect([...target]).toEqual([0, 0, 0, 0, 0, ...bytes.subarray(100, 110), 0, 0, 0, 0, 0]);
    await source.close?.();
  });

  it.each([
    [-1, 5],
    [0, 1001],
    [999, 2],
    [0.5, 1],
    [NaN, 1],
    [2 ** 60, 1],
  ])('refuses what lies outside: %d and %d bytes on', async (offset, length) => {
    const source = await open();
    await expect(source.read(offset, length)).rejects.toMatchObject({ name: 'SourceError', problem: 'outside' });
    await source.close?.();
  });

  it("rejects with the signal's reason", async () => {
    const source = await open();
    const reason = new Error('changed my mind');
    await expect(source.read(0, 5, AbortSignal.abort(reason))).rejects.toBe(reason);
    await source.close?.();
  });
});

describe('a file under Node', () => {
  it('that shrinks while it is open is an error, not a wait', async () => {
    const shrinking = join(folder, 'shrinking.bin');
    await writeFile(shrinking, bytes);
    const source = await openFile(shrinking);
    await truncate(shrinking, 500);
    await expect(source.read(400, 200)).rejects.toThrow('the file ends at 500; it had 1000 bytes when it was opened');
    await source.close();
  });

  it('that is not there is Node’s own error', async () => {
    await expect(openFile(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a Blob', () => {
  it('has its file’s name in messages', async () => {
    await expect(blobSource(new File([], 'mine.gguf')).read(0, 1)).rejects.toThrow('mine.gguf: bytes 0 to 1');
  });

  it('whose file has changed says to choose it again', async () => {
    const unreadable = Object.assign(new Blob([bytes.slice()]), {
      slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) }),
    });
    await expect(blobSource(unreadable).read(0, 5)).rejects.toMatchObject({ problem: 'changed' });
  });
});
