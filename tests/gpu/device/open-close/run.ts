/** Runs the rounds in child processes: memory shows nowhere else. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { environment } from '../../../support/gpu';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** Inside the repository, so that the child finds its packages; environments run at the same time, each in its own. */
const outDir = join(root, 'node_modules', '.cache', 'open-close', environment);

/** Node reads no TypeScript: packs rounds.ts with all it imports, but for Dawn. */
export async function packRounds(): Promise<string> {
  await build({
    configFile: false,
    root,
    logLevel: 'silent',
    resolve: { alias: { $gpu: join(root, 'gpu') } },
    ssr: { noExternal: true, external: ['webgpu'] },
    build: { ssr: join(root, 'tests/gpu/device/open-close/rounds.ts'), outDir, emptyOutDir: true, target: 'node20' },
  });
  return join(outDir, 'rounds.js');
}

/** Bytes after a round: all that the process holds, and what JavaScript holds of it. */
interface Memory {
  readonly resident: number;
  readonly javascript: number;
}

/** Rounds until drivers and caches have taken what they keep. */
const WARM = 20;

/** How much a process that opens and closes `rounds` times grew, from its first warm rounds to its last ones. */
export async function growth(script: string, who: 'ours' | 'bare', rounds: number): Promise<Memory> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, who, String(rounds)], {
    env: process.env,
    maxBuffer: 2 ** 24,
  });
  const memory = JSON.parse(stdout.trim().split('\n').at(-1)!) as Memory[];
  const [first, last] = [memory.slice(WARM, 2 * WARM), memory.slice(-WARM)];
  const between = (key: keyof Memory): number => mean(last.map((m) => m[key])) - mean(first.map((m) => m[key]));
  return { resident: between('resident'), javascript: between('javascript') };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
