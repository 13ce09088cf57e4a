/** In a page: runs the suite, and tells which cases failed, and why. Bundled by bundle.ts. */
import * as ai from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI } from '@langchain/openai';
import { OpenAI } from 'openai';
import { CASES, type Door } from './suite';
import type { Clients } from './types';

const clients: Clients = { OpenAI, ai, createOpenAICompatible, ChatOpenAI };

/** By case: what went wrong; '' where nothing did. */
async function runClients(door: Door): Promise<Record<string, string>> {
  const told: Record<string, string> = {};
  for (const [name, run] of Object.entries(CASES)) {
    told[name] = await run(door, clients).then(
      () => '',
      (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
    );
  }
  return told;
}

Object.assign(globalThis, { runClients });
