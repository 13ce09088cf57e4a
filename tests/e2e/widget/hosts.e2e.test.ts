/** The widget in pages that React, Vue and Svelte make: small applications, built here as anybody would build them. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { build, type Rolldown } from 'vite';
import { expect, test } from 'vitest';
import { missingPackage } from '../../support/oracles';
import { answerIn, inside, visitSite } from './site';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const oracles = folder('../../oracles/node_modules');

/** One file of script. */
async function built(name: string): Promise<string> {
  const entry = folder(`hosts/${name}/main.js`);
  const result = (await build({
    root: folder(`hosts/${name}`),
    configFile: false,
    logLevel: 'error',
    mode: 'production',
    plugins: name === 'svelte' ? [svelte({ configFile: false })] : [],
    // Not as tests: as it is published.
    oxc: { jsx: { runtime: 'automatic', development: false } },
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
    resolve: {
      alias: [
        { find: 'fireside-chat/widget', replacement: folder('../../../src/lib/widget/index.ts') },
        { find: /^(react|react-dom|vue)(?=\/|$)/, replacement: `${oracles}/$1` },
      ],
    },
    build: {
      write: false,
      target: 'es2023',
      lib: { entry: existsSync(entry) ? entry : folder(`hosts/${name}/main.jsx`), formats: ['es'], fileName: 'main' },
    },
  })) as Rolldown.RolldownOutput[];
  const chunk = result[0]?.output.find(({ type }) => type === 'chunk');
  if (chunk?.type !== 'chunk') throw new Error(`${name}: nothing was built`);
  return chunk.code;
}

test.for([
  ['React', 'react'],
  ['Vue', 'vue'],
  ['Svelte', 'svelte'],
] as const)('%s: properties, functions and events are its own', async ([title, name], context) => {
  const missing = name === 'svelte' ? undefined : missingPackage(name);
  if (missing) return context.skip(missing);
  const code = await built(name);
  await visitSite(
    {
      files: ({ app }) => ({
        '/': {
          body: `<!doctype html><html lang="en"><title>${title}</title><body data-app="${app}"><script type="module" src="/main.js"></script></body></html>`,
          headers: {
            'Content-Security-Policy': `default-src 'none'; script-src 'self'; frame-src ${app}; style-src 'self'`,
          },
        },
        '/main.js': { body: code, type: 'text/javascript' },
      }),
    },
    async ({ page, errors }) => {
      expect(errors).toEqual([]);
      const frame = inside(page);
      await frame.getByRole('button', { name: 'Start' }).click();
      await frame.getByText(`Hello from ${title}`).waitFor();
      await frame.getByRole('button', { name: 'How are you?' }).click();
      expect(await answerIn(frame)).toContain('How are you?');
      await expect.poll(() => page.locator('#heard').innerText()).toBe('ready Double, message user, message assistant');
      expect(errors).toEqual([]);
    },
  );
});
