/** Locks between programs, as files; pages must not import this module. A lock whose program has ended counts for nothing. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kill, pid } from 'node:process';
import { type Locks, ownLocks } from './locks';
import { wait } from './retry';

const LOOK_EVERY_MS = 200;

export function folderLocks(folder: string): Locks {
  const own = ownLocks();
  return {
    // Among ourselves first: to the file, we are all one program.
    hold: (name, signal, use) =>
      own.hold(name, signal, async () => {
        const path = join(folder, 'locks', createHash('sha256').update(name).digest('hex').slice(0, 24));
        await mkdir(join(folder, 'locks'), { recursive: true });
        while (!(await take(path))) await wait(LOOK_EVERY_MS, signal);
        try {
          return await use();
        } finally {
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
  if (Number.isInteger(owner) && owner > 0 && !isRunning(owner)) await rm(path, { force: true });
  return false;
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
