/**
 * `npm run bench -- chat [--json FILE]`: times the page itself, in the browser that is installed (chat.ts).
 * The other benches are parts of the command line program, and need no page.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runnerImport } from 'vite';
import { buildApp } from '../../../scripts/builds.js';
import { root } from '../../../scripts/packages.js';

/** @typedef {typeof import('./chat.js')} ChatBench */

/**
 * @param {string[]} args what follows the bench's name
 * @returns {Promise<number>} exit code
 */
export async function benchChat(args) {
  const [option, file, ...rest] = args;
  if ((option !== undefined && option !== '--json') || (option && !file) || rest.length > 0) {
    console.error('fireside: chat takes --json FILE and nothing else');
    return 2;
  }
  if ((await buildApp()) !== 0) return 1;
  const { module } = /** @type {{ module: ChatBench }} */ (
    await runnerImport(join(root, 'tests', 'bench', 'chat', 'chat.ts'), {
      configFile: false,
      root,
      logLevel: 'error',
      resolve: { alias: { $lib: join(root, 'src', 'lib'), $gpu: join(root, 'gpu') } },
    })
  );
  const { table, figures, failure } = await module.benchChat();
  console.log(table);
  if (file) writeFileSync(file, JSON.stringify({ bench: 'chat', figures }, null, 2));
  if (failure) console.error(`fireside: ${failure}`);
  return failure ? 1 : 0;
}
