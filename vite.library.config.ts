import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const alias = { $lib: folder('src/lib'), $gpu: folder('gpu') };

/** Whoever depends on us gets these as dependencies of ours, once; all else is inside. */
const external = [/^node:/, 'wesl', 'webgpu', /^@huggingface\//, '@mlc-ai/web-xgrammar', 'idb-keyval'];

/**
 * Vite writes the files of a library into its programs, as base64. llama.cpp has 9 MB, and is for pages without a GPU
 * alone: it stays a file, which bundlers find by `new URL(..., import.meta.url)`.
 */
const wasmBeside: Plugin = {
  name: 'wasm-beside',
  enforce: 'pre',
  async load(id) {
    const [file, query] = id.split('?');
    if (query !== 'url' || !file?.endsWith('.wasm')) return undefined;
    const reference = this.emitFile({ type: 'asset', name: basename(file), source: await readFile(file) });
    return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
  },
};

/**
 * Vite names a library's worker in a way that other bundlers take for a mere file, which they copy as it is, its imports
 * left to a browser that knows no packages. Written so, all of them know it for a worker, and bundle it.
 */
const plainWorkers: Plugin = {
  name: 'plain-workers',
  enforce: 'post',
  generateBundle(_, bundle) {
    const nested =
      /new URL\(\s*\/\* @vite-ignore \*\/\s*new URL\(("[^"]+"), import\.meta\.url\)\.href,\s*"" \+ import\.meta\.url\s*\)/g;
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      chunk.code = chunk.code.replace(nested, 'new URL($1, import.meta.url)');
      if (/new Worker\((?!new URL\("[^"]+", import\.meta\.url\))/.test(chunk.code)) {
        this.error(`${chunk.fileName} names a worker in a way that bundlers do not know.`);
      }
    }
  },
};

/**
 * The library: Fireside for a page (`index`) and for Node (`node`), and FlashAttention with the GPU runtime under it for
 * either (`attention`). Its types: scripts/types.js.
 */
export default defineConfig({
  publicDir: false,
  resolve: { alias },
  plugins: [plainWorkers],
  // The worker is found from where the library lies.
  base: './',
  worker: { format: 'es', plugins: () => [wasmBeside], rolldownOptions: { external } },
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    sourcemap: true,
    lib: {
      entry: {
        index: 'src/lib/engine/fireside.ts',
        node: 'src/lib/engine/fireside-node.ts',
        attention: 'gpu/index.ts',
        widget: 'src/lib/widget/index.ts',
      },
      formats: ['es'],
    },
    rolldownOptions: { external, output: { chunkFileNames: 'parts/[name]-[hash].js' } },
  },
});
