/** A widget as its frame sees it: what the page asked for, the model, the conversation, and what goes back to the page. */
import { untrack } from 'svelte';
import type { LoadedModel } from '$lib/engine/protocol';
import type { ModelEntry } from '$lib/chat/models';
import { Chat } from '$lib/chat/state/chat.svelte';
import type { Talker } from '$lib/chat/state/answerer.svelte';
import { partsOf } from '$lib/chat/thinking';
import { speak } from '$lib/ui/language.svelte';
import type { ToFrame, WidgetSettings } from '../protocol';
import { Approvals } from './approvals.svelte';
import { mayRead, mayShow, readDeployer, type Deployer } from './deployer';
import { keeping } from './keeping';
import { FrameLine } from './line';
import { applyLook } from './look';
import { Source } from './source.svelte';
import { withSystem, withTools } from './talk';

/** `alone`: not in a frame. `refused`: not for this page. `broken`: `problem` says why. */
export type Stage = 'waiting' | 'alone' | 'refused' | 'broken' | 'ready';

export interface WidgetOptions {
  /** The model that comes along. */
  readonly pocket: ModelEntry;
  /** Address of `widget.json`. */
  readonly deployer: string;
  /** Puts the cursor where one writes. */
  readonly focus: () => void;
}

export class Widget {
  stage = $state<Stage>('waiting');
  problem = $state('');
  settings = $state.raw<WidgetSettings>();
  source = $state.raw<Source>();
  chat = $state.raw<Chat>();
  /** The page's origin, as the browser tells it. */
  host = $state('');
  readonly approvals = new Approvals();
  readonly #options: WidgetOptions;
  readonly #line: FrameLine;
  #deployer = $state.raw<Deployer>();
  /** What the page said before it was known whether it may. */
  readonly #early: Heard[] = [];
  /** What the page asked for before there was a conversation. */
  #waiting = $state.raw<readonly string[]>([]);

  constructor(options: WidgetOptions) {
    this.#options = options;
    this.#line = new FrameLine({
      connected: (host, settings) => void this.#connected(host, settings),
      heard: (message) => this.#hear(message),
    });
  }

  /** The page is told what is said: it asked for it, and whoever runs the widget agrees. */
  get isShared(): boolean {
    return this.settings?.shareMessages === true && this.#deployer !== undefined && mayRead(this.#deployer, this.host);
  }

  /** Once there is a window. @returns ends it */
  begin(): () => void {
    if (parent === self) {
      this.stage = 'alone';
      return () => undefined;
    }
    const end = this.#line.begin();
    const stop = $effect.root(() => this.#report());
    return () => {
      end();
      stop();
      this.source?.close();
    };
  }

  close(): void {
    this.#line.say({ type: 'close' });
  }

  async clear(): Promise<void> {
    const { chat } = this;
    if (!chat) return;
    this.approvals.forget();
    await chat.removeConversation(chat.thread.id);
    // Whoever clears does not want it back.
    chat.note = undefined;
    this.#options.focus();
  }

  async #connected(host: string, settings: WidgetSettings): Promise<void> {
    this.host = host;
    try {
      this.#deployer = await readDeployer(this.#options.deployer);
    } catch (error) {
      this.stage = 'broken';
      this.problem = error instanceof Error ? error.message : String(error);
      return this.#line.say({ type: 'error', detail: { code: 'deployer', message: this.problem } });
    }
    await this.#set(settings);
    if (mayShow(this.#deployer, host, location.origin)) {
      this.stage = 'ready';
      for (const message of this.#early.splice(0)) this.#hear(message);
      if (settings.mode === 'inline') void this.source?.begin();
      return;
    }
    this.stage = 'refused';
    const message = `The widget is not for ${host}: its widget.json does not name it among «hosts».`;
    this.#line.say({ type: 'error', detail: { code: 'host', message } });
  }

  /** Another model or place for conversations is another widget; all else is taken as it is. */
  async #set(settings: WidgetSettings): Promise<void> {
    const before = this.settings;
    this.settings = settings;
    applyLook(document.documentElement, settings);
    await speak(settings.language);
    if (before && SAME.every((name) => before[name] === settings[name])) return;
    this.source?.close();
    this.chat?.stop();
    this.chat?.engine.close();
    this.chat = undefined;
    this.source = new Source(settings, this.#options.pocket);
    // Who looks on already goes on looking.
    if (before) void this.source.begin();
  }

  #hear(message: Heard): void {
    if (this.stage === 'waiting') return void this.#early.push(message);
    if (this.stage !== 'ready') return;
    switch (message.type) {
      case 'settings':
        return void this.#set(message.settings);
      case 'shown':
        void this.source?.begin();
        return this.#options.focus();
      case 'send':
        this.#waiting = [...this.#waiting, message.text];
        return;
      case 'stop':
        this.approvals.forget();
        return this.chat?.stop();
      case 'clear':
        return void this.clear();
    }
  }

  async #talk(entry: ModelEntry): Promise<void> {
    const { source } = this;
    const store = keeping(this.host, this.settings!);
    const chat = new Chat(entry, {
      store,
      guest: true,
      around: (talker, model) => this.#around(talker, model),
    });
    await chat.start();
    const last = chat.library.entries[0];
    if (last) await chat.follow(`#chat=${last.conversation.id}`);
    // The page may have thought of something else meanwhile.
    if (source !== this.source) return chat.engine.close();
    this.chat = chat;
    if (chat.firstVisit) chat.begin();
    this.#options.focus();
  }

  async #around(talker: Talker, model: LoadedModel | undefined): Promise<Talker> {
    const { system, tools, hasContext } = this.settings!;
    const known = hasContext ? await this.#context(model) : '';
    const told = withSystem(talker, [system, known].filter((text) => text !== '').join('\n\n'));
    this.approvals.begin();
    return withTools(told, model, tools, (call, signal) =>
      this.approvals.run(call, signal, () =>
        this.#line.ask({ type: 'call', name: call.name, args: call.args }, signal),
      ),
    );
  }

  /** What the page knows; at most about half of what the model holds. An answer without it is better than none. */
  async #context(model: LoadedModel | undefined): Promise<string> {
    try {
      const text = await this.#line.ask({ type: 'context' });
      return text.slice(0, 2 * (model?.context ?? 1024));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#line.say({ type: 'error', detail: { code: 'context', message } });
      return '';
    }
  }

  // ---- what the page is told -----------------------------------------------------------------------------------

  #report(): void {
    $effect(() => {
      const state = this.source?.state;
      if (state?.stage === 'ready' && !untrack(() => this.chat)) void this.#talk(state.entry);
      if (state?.stage === 'coming') this.#progress('download', state.model.done, state.model.bytes);
      if (state?.stage === 'failed') this.#error('model', state.message);
    });
    $effect(() => {
      const engine = this.chat?.engine;
      if (engine?.state === 'opening') this.#progress('open', engine.progress.done ?? 0, engine.progress.total ?? 0);
      if (engine?.state === 'failed' && engine.failure) this.#error(engine.failure.code, engine.failure.message);
    });
    $effect(() => {
      const model = this.chat?.engine.model;
      if (!model) return;
      const { name, path, context, toolFormat } = model;
      this.#line.say({ type: 'ready', detail: { model: name, path, context, tools: toolFormat !== undefined } });
    });
    $effect(() => {
      const [next, ...rest] = this.#waiting;
      if (next === undefined || !this.chat || this.chat.answerer.live) return;
      this.#waiting = rest;
      void this.chat.ask(next);
    });
    $effect(() => this.#reportAnswer());
  }

  /** Each time that an answer begins: the question. When it ends: the answer, or why there is none. */
  #reportAnswer(): (() => void) | void {
    const live = this.chat?.answerer.live;
    if (!live) return;
    const { thread, node } = live;
    untrack(() => {
      // Another answer, or the rest of one, is to the same question.
      const isNew = node.message.text === '' && thread.versions(node).length === 1;
      const question = node.parent === null ? undefined : thread.node(node.parent);
      if (isNew && question) this.#message('user', question.message.text);
    });
    return () => {
      const { text, failure } = node.message;
      if (failure) this.#error(failure.code, failure.message);
      else this.#message('assistant', partsOf(text).answer);
    };
  }

  #message(role: 'user' | 'assistant', text: string): void {
    const shared = untrack(() => this.isShared);
    this.#line.say({ type: 'message', detail: { role, ...(shared && { text }) } });
  }

  #progress(phase: 'download' | 'open', done: number, total: number): void {
    this.#line.say({ type: 'progress', detail: { phase, done: Math.round(done), total: Math.round(total) } });
  }

  #error(code: string, message: string): void {
    this.#line.say({ type: 'error', detail: { code, message } });
  }
}

type Heard = Exclude<ToFrame, { readonly type: 'answer' }>;

/** What may not change under a conversation. */
const SAME = ['model', 'hub', 'src', 'storage', 'instance'] as const;
