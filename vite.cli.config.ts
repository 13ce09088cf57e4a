import { defineConfig } from 'vite';

/**
 * The command line program, in one file that needs Node and the `webgpu` package beside it and nothing else. Heavy
 * packages with binaries stay outside, and are looked up at run time.
 */
export default defineConfig({
  publicDir: false,
  resolve: { alias: { $lib: '/src/lib', $gpu: '/gpu' } },
  ssr: { noExternal: true, external: ['webgpu', 'onnxruntime-node'] },
  build: {
    ssr: 'src/cli/main.ts',
    target: 'node20',
    outDir: 'dist',
    emptyOutDir: false,
    rolldownOptions: { output: { entryFileNames: 'cli.js', codeSplitting: false } },
  },
});
