/**
 * Writes a Llama of random 8-bit weights as a GGUF file of about a gigabyte: for measuring what loading a large model
 * costs, where no large model is at hand. It answers nonsense.
 *
 *   node scripts/synthetic.js FILE [--layers 16] [--width 2048]
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';
import { root } from './packages.js';

/** @typedef {typeof import('./synthetic/llama.js')} Maker */

const text = /** @type {const} */ ({ type: 'string' });
const { values, positionals } = parseArgs({ options: { layers: text, width: text }, allowPositionals: true });
const [path] = positionals;
const layers = Number(values.layers ?? 16);
const width = Number(values.width ?? 2048);
if (path === undefined || !(Number.isInteger(layers) && layers > 0) || !(Number.isInteger(width / 128) && width > 0)) {
  console.error('node scripts/synthetic.js FILE [--layers N] [--width N, a multiple of 128]');
  process.exit(2);
}

// The maker shares the GGUF writer with the app, in TypeScript, which Node 20 does not run by itself.
const { module } = /** @type {{ module: Maker }} */ (
  await runnerImport(join(root, 'scripts', 'synthetic', 'llama.ts'), { configFile: false, root, logLevel: 'error' })
);
const file = openSync(path, 'w');
let bytes = 0;
for (const part of module.syntheticLlama({ layers, width })) bytes += writeSync(file, part);
closeSync(file);
console.log(`${path}: ${(bytes / 1e6).toFixed(0)} MB`);
