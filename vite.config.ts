import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [sveltekit()],
  worker: { format: 'es' },
  // Kit's own plugins take most of a build this small; the bundler would warn of it each time.
  build: { rolldownOptions: { checks: { pluginTimings: false } } },
});
