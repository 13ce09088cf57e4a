/**
 * `npm run hub`: a model hub on this machine, to try downloads by hand.
 *
 *   npm run hub                          the pocket model, as fireside/pocket
 *   npm run hub -- FOLDER                the repositories in FOLDER/OWNER/NAME
 *   npm run hub -- --port 9000 --rate 2  another port; 2 MB a second on each connection
 *   npm run hub -- --gated fireside/pocket --token hf_abc   a repository that wants a token
 *   npm run hub -- --flaky               every few requests something goes wrong
 */
import { readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePackages } from '../../scripts/packages.js';
import { diskContent } from './content.js';
import { startHub } from './hub.js';

/** @import { Repo } from './hub.js' */
/** @import { Fault } from './faults.js' */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '5180' },
    rate: { type: 'string' },
    gated: { type: 'string', multiple: true, default: [] },
    token: { type: 'string', default: 'hf_local' },
    flaky: { type: 'boolean', default: false },
  },
});

const repos = positionals.length > 0 ? positionals.map(reposIn).reduce(merge, {}) : await pocketRepo();
for (const name of values.gated) {
  const repo = repos[name];
  if (!repo) stop(`There is no repository ${name} to gate; there are ${Object.keys(repos).join(', ')}.`);
  repo.gated = true;
}
const rate = values.rate === undefined ? undefined : Number(values.rate) * 2 ** 20;
if (rate !== undefined && !(rate > 0)) stop('--rate wants megabytes a second.');
const hub = await startHub({
  repos,
  port: Number(values.port),
  token: values.token,
  host: 'localhost',
  ...(rate !== undefined && { rate }),
});
if (values.flaky) setInterval(() => hub.faults.add(mishap()), 1500).unref();

console.log(`\n  A model hub is at ${hub.url}, with ${Object.keys(repos).join(', ')}.`);
console.log(`  npm run fireside -- generate --hub ${hub.url} --model ${Object.keys(repos)[0]} --prompt Hello`);
console.log('\n  Ctrl+C stops it.');
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => hub.close());

/** @returns {Promise<Record<string, Repo>>} */
async function pocketRepo() {
  const failure = ensurePackages();
  if (failure) stop(failure);
  // It is made by packages that may just have been installed.
  const { ensurePocket } = await import('../../scripts/pocket.js');
  const { path } = await ensurePocket();
  return { 'fireside/pocket': { files: { 'minimind2-small-q8_0.gguf': diskContent(path) } } };
}

/**
 * @param {string} folder with OWNER/NAME in it
 * @returns {Record<string, Repo>}
 */
function reposIn(folder) {
  /** @type {Record<string, Repo>} */
  const found = {};
  for (const owner of foldersIn(folder)) {
    for (const name of foldersIn(join(folder, owner))) found[`${owner}/${name}`] = repoIn(join(folder, owner, name));
  }
  if (Object.keys(found).length === 0) stop(`${folder}: there is no OWNER/NAME folder in it.`);
  return found;
}

/** @param {string} folder */
function foldersIn(folder) {
  return readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory());
}

/**
 * @param {string} folder
 * @returns {Repo}
 */
function repoIn(folder) {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  const files = paths.filter((path) => statSync(path).isFile());
  return {
    files: Object.fromEntries(files.map((path) => [relative(folder, path).split(sep).join('/'), diskContent(path)])),
  };
}

/**
 * @param {Record<string, Repo>} all
 * @param {Record<string, Repo>} more
 */
function merge(all, more) {
  return { ...all, ...more };
}

/** @returns {Fault} */
function mishap() {
  const after = Math.floor(Math.random() * 2 ** 22);
  /** @type {Fault[]} */
  const kinds = [
    { kind: 'cut', after },
    { kind: 'stall', after },
    { kind: 'status', status: 429, headers: { 'Retry-After': '2' } },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503, where: 'resolve' },
  ];
  return /** @type {Fault} */ (kinds[Math.floor(Math.random() * kinds.length)]);
}

/**
 * @param {string} message
 * @returns {never}
 */
function stop(message) {
  console.error(message);
  process.exit(1);
}
