import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const alias = { $lib: folder('src/lib'), $gpu: folder('gpu') };

/** Whoever depends on us gets these as dependencies of ours, once. */
const external = [/^node:/, 'wesl', 'webgpu', /^@huggingface\//, '@mlc-ai/web-xgrammar', 'hash-wasm', 'idb-keyval'];

/**
 * The library: Fireside for a page (`index`) and for Node (`node`), and FlashAttention with the GPU runtime under it for
 * either (`attention`). Its types: scripts/types.js.
 */
export default defineConfig({
  publicDir: false,
  resolve: { alias },
  // The worker is found from where the library lies.
  base: './',
  worker: { format: 'es', rolldownOptions: { external } },
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
