/** The suite and its clients as one program for a page: it leaves `runClients(door)`, which resolves with what failed. */
import { fileURLToPath } from 'node:url';
import { build, type Rollup } from 'vite';

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Packages that are in tests/oracles alone. */
const CLIENTS = ['openai', 'ai', '@ai-sdk/openai-compatible', '@langchain/openai'];

export async function bundleClients(): Promise<string> {
  const built = (await build({
    configFile: false,
    logLevel: 'error',
    mode: 'production',
    define: { 'process.env.NODE_ENV': '"production"' },
    resolve: {
      alias: CLIENTS.map((name) => ({
        find: new RegExp(`^${name}$`),
        replacement: folder(`../../oracles/node_modules/${name}`),
      })),
    },
    build: {
      write: false,
      minify: false,
      target: 'es2023',
      lib: { entry: folder('page.ts'), formats: ['iife'], name: 'clients' },
    },
  })) as Rollup.RollupOutput[];
  return built[0]!.output[0].code;
}
