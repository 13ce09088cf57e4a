import { defineConfig } from 'vite';

/** The library: FlashAttention and the GPU runtime under it, for a page, a worker or Node. Its types: scripts/types.js. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    sourcemap: true,
    lib: { entry: { attention: 'gpu/index.ts' }, formats: ['es'] },
    // Whoever depends on us gets it as a dependency of ours, once.
    rolldownOptions: { external: ['wesl'] },
  },
});
