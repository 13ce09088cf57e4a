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

/** Packages that most visits never need; the service worker keeps them once they were used (src/lib/pwa/precache.ts). */
const seldomUsed = /node_modules\/@(?:mlc-ai|wllama)\/(?:web-)?(xgrammar|wllama)\//;

/** Names their files after them. Kit names all chunks of workers by their hashes alone, so this comes after it. */
const namedChunks: Plugin = {
  name: 'named-chunks',
  enforce: 'post',
  config: () => ({ worker: { rolldownOptions: { output: { chunkFileNames: chunkName } } } }),
};

function chunkName({ moduleIds }: { readonly moduleIds: readonly string[] }): string {
  const name = moduleIds.map((id) => seldomUsed.exec(id)?.[1]).find((found) => found !== undefined);
  return `_app/immutable/workers/chunks/${name === undefined ? '' : `${name}-`}[hash].js`;
}

export default defineConfig({
  plugins: [oneFontFormat, sveltekit(), namedChunks],
  worker: { format: 'es' },
  build: {
    // The page's policy allows no fonts but files.
    assetsInlineLimit: (file) => (file.endsWith('.woff2') ? false : undefined),
    // Kit's own plugins take most of a build this small; the bundler would warn of it each time.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
