/** `fireside serve`: a model behind OpenAI's wire format, for this machine unless told otherwise, with the app at `/`. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createHandler } from '$lib/engine/handle';
import { NodeEngine } from '$lib/engine/node';
import type { LoadOptions } from '$lib/engine/protocol';
import { UsageError, type Command } from '../command';
import { INTERRUPTED } from '../model/open';
import { modelPlace } from '../model/place';
import { MODEL_OPTIONS, MODEL_USAGE, modelChoice, wholeNumber, type ModelChoice } from '../model/options';
import { ProgressLine } from '../model/progress';
import { serveApi } from '../serve/server';

const text = { type: 'string' } as const;
const several = { type: 'string', multiple: true } as const;

const OPTIONS = {
  ...MODEL_OPTIONS,
  host: text,
  port: text,
  'token-env': text,
  'allow-host': several,
  'allow-origin': several,
  'max-waiting': text,
  'max-body': text,
  timeout: text,
} as const;

export const serve: Command = {
  summary: "Answer OpenAI's clients over HTTP",
  usage: `--model MODEL [options]

${MODEL_USAGE}
  --host HOST             where to listen; default 127.0.0.1: this machine alone
  --port N                default 8642; 0: any free one
  --token-env NAME        requests have to bring the token that this environment variable holds
  --allow-host NAME       a name that this server is called by; may be given several times
  --allow-origin ORIGIN   pages of this origin may ask; may be given several times. Default: none but the app's own
  --max-waiting N         requests that may wait for their turn; default 64
  --max-body N            kilobytes of a request; default 4096
  --timeout N             seconds that an answer may take, waiting included; default 600`,

  async run(args) {
    const request = readServe(args, process.env);
    const stop = new AbortController();
    const interrupt = (): void => stop.abort();
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    const { choice } = request;
    const line = new ProgressLine(process.stderr);
    const engine = new NodeEngine((_, signal) =>
      modelPlace(choice.model, signal, choice.store, line.showDownload.bind(line)),
    );
    try {
      await load(engine, choice, line, stop.signal);
      const handle = createHandler({ engine, mostWaiting: request.mostWaiting, mostBytes: request.mostBytes });
      const serving = await serveApi({ ...request, handle, app: builtApp() });
      console.log(`${engine.model!.name} answers at http://${request.host}:${serving.port}/v1`);
      if (request.open && request.token === undefined) {
        console.error('Everybody who reaches this address may use it: --token-env asks for a token.');
      }
      await new Promise((done) => stop.signal.addEventListener('abort', done, { once: true }));
      await serving.close();
      return 0;
    } catch (error) {
      if (stop.signal.aborted) return INTERRUPTED;
      throw error;
    } finally {
      engine.close();
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    }
  },
};

interface ServeRequest {
  readonly choice: ModelChoice;
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  readonly open: boolean;
  readonly mostWaiting: number;
  readonly mostBytes: number;
  readonly timeout: number;
}

export function readServe(args: string[], env: NodeJS.ProcessEnv): ServeRequest {
  const { values } = parseArgs({ args, options: OPTIONS });
  const host = values.host ?? '127.0.0.1';
  const name = values['token-env'];
  const token = name === undefined ? undefined : env[name];
  if (name !== undefined && !token) throw new UsageError(`--token-env: there is no environment variable ${name}`);
  const origins = values['allow-origin'] ?? [];
  const wrong = origins.find((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin);
  if (wrong !== undefined)
    throw new UsageError(`--allow-origin wants an origin such as https://example.com, not «${wrong}»`);
  return {
    choice: modelChoice(values, 2),
    host,
    port: wholeNumber(values, 'port', 0, 65535) ?? 8642,
    token,
    hosts: (values['allow-host'] ?? []).map((one) => one.toLowerCase()),
    origins,
    open: !['127.0.0.1', '::1', 'localhost'].includes(host),
    mostWaiting: wholeNumber(values, 'max-waiting', 0) ?? 64,
    mostBytes: (wholeNumber(values, 'max-body', 1) ?? 4096) * 1024,
    timeout: (wholeNumber(values, 'timeout', 1, 86_400) ?? 600) * 1000,
  };
}

async function load(engine: NodeEngine, choice: ModelChoice, line: ProgressLine, signal: AbortSignal): Promise<void> {
  const { context, quant, kv, activations, attention } = choice;
  const options = { context, quant, kv, activations, attention };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as LoadOptions;
  try {
    await engine.load({ ...given, url: choice.model }, line.show.bind(line), signal);
  } finally {
    line.clear();
  }
}

/** Where `npm run build` leaves it, beside this program. */
function builtApp(): string | undefined {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'build');
  return existsSync(join(folder, 'index.html')) ? folder : undefined;
}
