/**
 * `npm start`: installs what is missing, builds the app where it is stale, and serves it until it is told to stop.
 *
 *   npm start                                http://localhost:5173, or the next free port
 *   npm start -- --port 8080 --host 0.0.0.0  another port; reachable from the network
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildApp } from './builds.js';
import { ensurePackages, root } from './packages.js';
import { serve } from './serve.js';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '5173' }, host: { type: 'string', default: 'localhost' } },
});

const failure = ensurePackages();
if (failure) stop(failure);

if ((await buildApp()) !== 0) stop('The build failed; see above.');

const server = await serve({ folder: join(root, 'build'), port: Number(values.port), host: values.host });
const address = server.address();
const port = typeof address === 'object' ? address?.port : values.port;
console.log(`\n  Fireside is at http://${values.host}:${port}/\n\n  Ctrl+C stops it.`);

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}

/**
 * @param {string} message
 * @returns {never}
 */
function stop(message) {
  console.error(message);
  process.exit(1);
}
