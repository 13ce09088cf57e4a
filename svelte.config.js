import adapter from '@sveltejs/adapter-static';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/kit').Config} */
export default {
  preprocess: vitePreprocess(),
  kit: {
    adapter: adapter(),
    alias: { $gpu: 'gpu' },
    // The layout does it: the frame in other people's pages installs nothing.
    serviceWorker: { register: false },
    // Every page is prerendered, so the policy travels in the page itself, and no server has to send it.
    csp: {
      mode: 'hash',
      directives: {
        'default-src': ['self'],
        'script-src': ['self', 'wasm-unsafe-eval'],
        // The engine for the processor makes its worker, and the threads of that, from texts.
        'worker-src': ['self', 'blob:'],
        'style-src': ['self'],
        // Kit hides its announcer for screen readers with a style attribute.
        'style-src-attr': ['unsafe-inline'],
        'img-src': ['self', 'data:', 'blob:'],
        'manifest-src': ['self'],
        // Models come from a hub, and from wherever a person says; for trying things out, from this machine.
        'connect-src': ['self', 'https:', 'http://localhost:*', 'http://127.0.0.1:*'],
        'object-src': ['none'],
        'base-uri': ['none'],
        'form-action': ['none'],
      },
    },
  },
};
