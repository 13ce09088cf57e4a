#!/usr/bin/env node
/**
 * The `fireside` command: finds the command by its name, hands it the rest of the line, and turns what it throws into
 * one line and an exit code.
 */
import { EngineError } from '$lib/engine/engine-error';
import { describe } from '$lib/engine/errors';
import { UsageError, type Command } from './command';
import { bench } from './commands/bench';
import { generate } from './commands/generate';
import { inspect } from './commands/inspect';
import { score } from './commands/score';
import { serve } from './commands/serve';

const COMMANDS: Readonly<Record<string, Command>> = { generate, score, serve, inspect, bench };

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    console.log(help());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) return complain(`there is no command «${name}»`, help());
  const usage = `fireside ${name} ${command.usage}`;
  if (args.includes('--help') || args.includes('-h')) {
    console.log(`${command.summary}.\n\n${usage}`);
    return 0;
  }
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof UsageError || isParseError(error)) return complain(error.message, usage);
    const { code, message } = error instanceof EngineError ? error : describe(error);
    if (code === 'unknown') throw error;
    return complain(message);
  }
}

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return ['fireside COMMAND [options]', '', ...rows, '', 'fireside COMMAND --help says more.'].join('\n');
}

function complain(message: string, usage?: string): number {
  console.error(`fireside: ${message}${usage ? `\n\n${usage}` : ''}`);
  return usage ? 2 : 1;
}

/** What `parseArgs` throws for an option it does not know. */
function isParseError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

process.exitCode = await main(process.argv.slice(2));
