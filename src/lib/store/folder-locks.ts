/**
 * Locks between programs, as files; pages must not import this module. A lock whose program has ended counts for nothing:
 * there is none of its number, or it is another one by now, which does not touch the file.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kill, pid } from 'node:process';
import { type Locks, ownLocks } from './locks';
import { wait } from './retry';

const LOOK_EVERY_MS = 200;
const TOUCH_EVERY_MS = 5000;
const STALE_AFTER_MS = 60_000;

export function folderLocks(folder: string): Locks {
  const own = ownLocks();
  return {
    // Among ourselves first: to the file, we are all one program.
    hold: (name, signal, use) =>
      own.hold(name, signal, async () => {
        const path = join(folder, 'locks', createHash('sha256').update(name).digest('hex').slice(0, 24));
        await mkdir(join(folder, 'locks'), { recursive: true });
        while (!(await take(path))) await wait(LOOK_EVERY_MS, signal);
        const touching = setInterval(() => void touch(path), TOUCH_EVERY_MS);
        try {
          return await use();
        } finally {
          clearInterval(touching);
          await rm(path, { force: true });
        }
      }),
  };
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const owner = Number(await readFile(path, 'utf8').catch(() => 'gone'));
  const isGone = Number.isInteger(owner) && owner > 0 && !isRunning(owner);
  if (isGone || (await isStale(path))) await rm(path, { force: true });
  return false;
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  // Where it cannot be touched, others may take the lock too: what comes of that is the same.
  await utimes(path, now, now).catch(() => undefined);
}

async function isStale(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > STALE_AFTER_MS;
}

function isRunning(owner: number): boolean {
  try {
    kill(owner, 0);
    return true;
  } catch (error) {
    // Somebody else's program may not be asked, but is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
