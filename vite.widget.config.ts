import { defineConfig } from 'vite';

/** The widget's script: one small file beside the built app, whose frame it shows in other people's pages. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'build',
    emptyOutDir: false,
    target: 'es2022',
    lib: { entry: 'src/lib/widget/loader.ts', formats: ['es'], fileName: () => 'widget.js' },
    minify: true,
  },
});
