import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig, type Plugin } from 'vite';

/** KaTeX names each of its fonts in three formats; every browser that has WebGPU or WebAssembly threads reads the first. */
const oneFontFormat: Plugin = {
  name: 'one-font-format',
  enforce: 'pre',
  transform: (code, id) =>
    id.includes('katex') && /\.css(?:$|\?)/.test(id)
      ? { code: code.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("[^"]*"\)/g, ''), map: null }
      : undefined,
};

export default defineConfig({
  plugins: [oneFontFormat, sveltekit()],
  worker: { format: 'es' },
  build: {
    // The page's policy allows no fonts but files.
    assetsInlineLimit: (file) => (file.endsWith('.woff2') ? false : undefined),
    // Kit's own plugins take most of a build this small; the bundler would warn of it each time.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
