/**
 * How long a conversation of 500 messages takes to open, and whether the page stays free while an answer streams into it.
 * The built app in Chromium, with a double for the engine, so that nothing but the page is measured.
 */
import type { Page } from 'playwright';
import { toJson } from '$lib/conversations/exchange';
import { newConversation, newId, type Message } from '$lib/conversations/records';
import type { ChatPage } from '../../e2e/chat-page';
import { script } from '../../e2e/engine-double';
import { closeBrowsers } from '../../e2e/visit';
import { visitDouble } from '../../e2e/visit-double';

const MESSAGES = 500;
const ROUNDS = 5;
/** Letters of a token, and the milliseconds in which it is certainly there. */
const PIECE = 4;
const PIECE_MS = 12;
/** Milliseconds. */
const OPEN_AIM = 300;
const TASK_AIM = 50;

const PASSAGE = `## A step

Some words with **weight**, a [link](https://example.com/) and \`code\`.

- one thing, and another
- a second one
  1. with a part

| name | value |
| - | -: |
| alpha | 1 |
| beta | 22 |

\`\`\`python
def step(x: int) -> int:
    return x * 2  # twice
\`\`\`

The end of it, in a sentence that is long enough to be broken into two lines on most screens.

`;

/** Milliseconds of one task. On a busy machine it lasts longer than it works: it waits for a processor. */
interface Task {
  readonly wall: number;
  readonly processor: number;
}

export interface ChatFigures {
  /** Milliseconds from the click to the first paint of the newest messages; a round each. */
  readonly opened: readonly number[];
  /** Until all messages are there. */
  readonly whole: readonly number[];
  /** The page's tasks while an answer came that lasted longer than 10 ms, the longest first. */
  readonly tasks: readonly Task[];
  /** Of the answer. */
  readonly streamedLetters: number;
}

export async function benchChat(): Promise<{ table: string; figures: ChatFigures; failure?: string }> {
  let figures: ChatFigures | undefined;
  await visitDouble(async (chat, { page }) => {
    page.setDefaultTimeout(120_000);
    await importLong(chat);
    const rounds: { opened: number; whole: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await chat.button('New chat').click();
      await page.getByRole('heading', { name: 'What is on your mind?' }).waitFor();
      rounds.push(await open(page));
    }
    const say = PASSAGE.repeat(8);
    const tasks = await stream(chat, say);
    figures = {
      opened: rounds.map(({ opened }) => opened),
      whole: rounds.map(({ whole }) => whole),
      tasks,
      streamedLetters: say.length,
    };
  });
  await closeBrowsers();
  return report(figures!);
}

async function importLong(chat: ChatPage): Promise<void> {
  const messages: Message[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    const role = i % 2 === 0 ? 'user' : 'assistant';
    const text = role === 'user' ? `Question ${i}: what comes next, and why?` : PASSAGE;
    messages.push({
      id: newId(),
      parent: messages.at(-1)?.id ?? null,
      role,
      text,
      created: i,
      ...(role === 'assistant' && { edited: true }),
    });
  }
  const conversation = { ...newConversation(), title: 'Long', leaf: messages.at(-1)!.id };
  await chat.button('Settings').click();
  await chat.page
    .getByRole('dialog')
    .locator('input[type=file]')
    .setInputFiles({
      name: 'long.json',
      mimeType: 'application/json',
      buffer: Buffer.from(toJson([{ conversation, messages }])),
    });
  await chat.log.getByText('Question 498').waitFor();
}

/** Clicks on the conversation, and watches until it is there. */
function open(page: Page): Promise<{ opened: number; whole: number }> {
  return page.evaluate(async (all) => {
    const frame = (): Promise<unknown> => new Promise((done) => requestAnimationFrame(done));
    const drawn = (): number => document.querySelectorAll('[role=log] article').length;
    const link = [...document.querySelectorAll<HTMLAnchorElement>('nav a')].find(({ title }) => title === 'Long')!;
    const start = performance.now();
    link.click();
    while (drawn() === 0) await frame();
    // The frame after the one that it was drawn in begins when that has been painted.
    await frame();
    const opened = performance.now() - start;
    while (drawn() < all) await frame();
    return { opened, whole: performance.now() - start };
  }, MESSAGES);
}

/** What Chromium's trace says of the page's main thread. */
async function stream(chat: ChatPage, say: string): Promise<Task[]> {
  const browser = chat.page.context().browser()!;
  await browser.startTracing(chat.page, { categories: ['toplevel'] });
  // Some 250 tokens a second.
  await chat.ask(script({ say, size: PIECE, every: 4 }));
  // Who looks for something in the page works on its main thread, 60 ms at a time with so many messages: nobody looks.
  await chat.page.waitForTimeout((say.length / PIECE) * PIECE_MS);
  const trace = await browser.stopTracing();
  await chat.answered();
  const { traceEvents } = JSON.parse(trace.toString()) as Trace;
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = traceEvents.filter(({ name, pid, tid }) => name.endsWith('RunTask') && threads.has(`${pid} ${tid}`));
  if (tasks.length === 0) throw new Error('The trace of this browser names no tasks: nothing was measured.');
  return tasks
    .map(({ dur = 0, tdur = 0 }) => ({ wall: dur / 1000, processor: tdur / 1000 }))
    .filter(({ wall }) => wall > 10)
    .sort((one, other) => other.wall - one.wall);
}

/** Microseconds: `dur` by the wall, `tdur` of the thread's own. */
interface Trace {
  readonly traceEvents: readonly {
    readonly name: string;
    readonly pid: number;
    readonly tid: number;
    readonly dur?: number;
    readonly tdur?: number;
    readonly args?: { readonly name?: string };
  }[];
}

function report(figures: ChatFigures): { table: string; figures: ChatFigures; failure?: string } {
  const { opened, whole, tasks } = figures;
  const byWall = tasks.map(({ wall }) => wall);
  const byProcessor = tasks.map(({ processor }) => processor);
  const ms = (values: readonly number[]): string => `${Math.round(median(values))} ms`;
  const rows = [
    [`${MESSAGES} messages: the newest are there`, `${ms(opened)} (${opened.map(Math.round).join(', ')})`],
    [`${MESSAGES} messages: all are there`, ms(whole)],
    [`tasks over ${TASK_AIM} ms while ${figures.streamedLetters} letters stream`, longWords(byProcessor)],
    ['the same by the wall, waiting for a processor included', longWords(byWall)],
  ];
  const width = Math.max(...rows.map(([name]) => name!.length));
  const table = rows.map(([name, value]) => `${name!.padEnd(width)}  ${value}`).join('\n');
  const missed = [
    ...(median(opened) > OPEN_AIM ? [`opening took more than ${OPEN_AIM} ms`] : []),
    ...(byProcessor.some((ms) => ms > TASK_AIM) ? [`the page was busy for more than ${TASK_AIM} ms at a time`] : []),
  ];
  return { table, figures, ...(missed.length > 0 && { failure: missed.join('; ') }) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >>> 1]!;
}

function longWords(tasks: readonly number[]): string {
  const long = tasks.filter((ms) => ms > TASK_AIM).length;
  return `${long}, the longest task ${Math.round(Math.max(0, ...tasks))} ms`;
}
