/**
 * `npm run bench -- store`: how fast models are written to and read from IndexedDB in the browser that is installed, and
 * how much of that is left when they go on to the GPU (the aim: 70 %).
 *
 *   --size 512   MB of the made-up model
 *   --rounds 5   readings of each kind, of which the median counts
 *   --native     the browser's own GPU in place of the software one
 */
import { parseArgs } from 'node:util';
import { chromium } from 'playwright';
import { build } from 'vite';
import { chromiumSwitches, findChromium, softwareGpuSwitches } from '../../../scripts/environments.js';
import { root } from '../../../scripts/packages.js';
import { serve } from '../../../scripts/serve.js';

const AIM = 0.7;
const CHUNK = 8;

/** @param {string[]} args @returns {Promise<number>} exit code */
export async function benchStore(args) {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: '512' },
      rounds: { type: 'string', default: '5' },
      native: { type: 'boolean', default: false },
    },
  });
  const size = Math.ceil(Number(values.size) / CHUNK) * CHUNK * 2 ** 20;
  const rounds = Number(values.rounds);
  if (!(size > 0) || !(rounds >= 1)) throw new Error('--size and --rounds want numbers.');
  const folder = `${root}/.cache/store-bench`;
  await build({
    configFile: false,
    logLevel: 'error',
    root: `${root}/tests/bench/store/page`,
    resolve: { alias: { $lib: `${root}/src/lib`, $gpu: `${root}/gpu` } },
    build: { outDir: folder, emptyOutDir: true, target: 'es2023' },
  });
  const executablePath = findChromium();
  if (!executablePath) throw new Error('There is no Chrome or Chromium here; CHROME=/path/to/it names one.');
  const server = await serve({ folder, port: 0, host: '127.0.0.1' });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const switches = values.native ? ['--enable-unsafe-webgpu'] : softwareGpuSwitches;
  // A profile on the disk: without one, IndexedDB lies in memory.
  const context = await chromium.launchPersistentContext('', {
    executablePath,
    args: [...chromiumSwitches, ...switches],
  });
  try {
    const page = await context.newPage();
    await page.goto(`http://localhost:${port}/`);
    await page.waitForFunction(() => 'storeBench' in globalThis);
    const written = await page.evaluate((bytes) => globalThis.storeBench.write(bytes), size);
    const readings = [];
    for (let round = 0; round < rounds; round++) readings.push(await page.evaluate(() => globalThis.storeBench.read()));
    const alone = median(readings.map((reading) => reading.alone));
    const toGpu = median(readings.map((reading) => reading.toGpu));
    const share = median(readings.map((reading) => reading.toGpu / reading.alone));
    console.log(`${size / 2 ** 20} MB in chunks of ${CHUNK} MB; ${rounds} rounds; GPU: ${readings[0]?.adapter}\n`);
    console.log(`written, each chunk durably  ${megabytes(written)} MB/s`);
    console.log(`read, IndexedDB alone        ${megabytes(alone)} MB/s`);
    console.log(
      `read, on to GPU buffers      ${megabytes(toGpu)} MB/s, ${Math.round(share * 100)} % of that (aim: ${AIM * 100} %)`,
    );
    return share >= AIM ? 0 : 1;
  } finally {
    await context.close();
    server.closeAllConnections();
    server.close();
  }
}

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return String(Math.round(bytes / 2 ** 20)).padStart(5);
}
