/** The whole chat: its conversations, the one that is open, the engine, and what a person does with them. */
import { ConversationError } from '$lib/conversations/errors';
import { isDone, type ChatSettings, type Conversation, type TextFile } from '$lib/conversations/records';
import { isExport } from '$lib/conversations/format';
import { ConversationStore, type Change, type Conversations } from '$lib/conversations/store';
import { kindOf } from '$lib/models/files';
import type { Standing } from '$lib/models/standing';
import type { Shelf } from '$lib/models/state/shelf.svelte';
import { t } from '$lib/ui/language.svelte';
import { remember, remembered } from '$lib/ui/memory';
import { storedId, type ModelEntry } from '../models';
import { effective, readAddress, type AddressSettings, type Effective } from '../effective';
import { partsOf } from '../thinking';
import { Answerer, type Outcome } from './answerer.svelte';
import { attach } from './attach';
import { Draft } from './drafts.svelte';
import { EngineHolder } from './engine.svelte';
import { takeAsked, takeOpened, takeShared } from './incoming';
import { Library } from './library.svelte';
import { Models } from './models.svelte';
import { lasting, type ChatOptions, type Note } from './options';
import { Presets } from './presets.svelte';
import { Thread, type Node, type ThreadHost } from './thread.svelte';
import { isWrittenElsewhere } from './writing';

/** In localStorage: a person has met the page, and let it open a model. */
const BEGUN = 'fireside-begun';
/** In localStorage: the model that was chosen last, for conversations that begin with nothing else. */
const MODEL = 'fireside-model';

export class Chat {
  /** `starting`: what is stored is being read. `gone`, `newer`: the conversation of the address cannot be shown. */
  view = $state<'starting' | 'thread' | 'gone' | 'newer'>('starting');
  thread = $state.raw<Thread>()!;
  /** Nothing was asked here yet, and no model was opened. */
  firstVisit = $state(false);
  note = $state.raw<Note>();
  /** For those who hear the page. */
  announcement = $state('');
  /** Answers that another tab is writing, by id. */
  elsewhere = $state.raw<ReadonlySet<string>>(new Set());
  /** Why what is said cannot be kept. */
  unkept = $state.raw<ConversationError>();

  readonly #models: Models;
  readonly library: Library;
  readonly draft: Draft;
  readonly presets: Presets;
  readonly guest: boolean;
  readonly engine: EngineHolder;
  readonly answerer: Answerer;
  readonly settings = $derived.by((): Effective => this.#effective(this.thread.conversation.settings));
  /** Where the model of this conversation stands. */
  readonly standing = $derived.by((): Standing => this.#models.standing(this.settings.model));
  readonly #store: Conversations;
  readonly #host: ThreadHost;
  #address: AddressSettings = {};
  #warming: AbortController | undefined;

  /** @param pocket the model that is there in any case */
  constructor(
    pocket: ModelEntry,
    { store = new ConversationStore(), around, served, guest = false }: ChatOptions = {},
  ) {
    this.#models = new Models(pocket, guest);
    this.guest = guest;
    this.#store = store;
    this.engine = new EngineHolder(() => this.answerer.giveUp(), {
      ...(served && { served }),
      ...(guest && { spare: () => this.answerer.live === undefined }),
    });
    this.answerer = new Answerer(this.engine, (settings, signal) => this.#models.here(settings, signal), around);
    this.library = new Library(this.#store, () => this.thread);
    const trouble = (error: unknown): void => this.#trouble(error);
    this.draft = new Draft(this.#store, trouble);
    this.presets = new Presets(this.#store, trouble);
    this.#host = { store: this.#store, trouble, changed: (conversation) => this.library.put(conversation) };
    this.thread = new Thread(this.#host, {});
  }

  /** Reads what is stored, the first time, and opens what the address names. */
  async start(): Promise<void> {
    await this.#models.listServers();
    if (this.view !== 'starting') return this.follow(location.hash);
    this.#address = readAddress(location.search);
    this.#store.watch((change) => void this.#kept(this.#follow(change)));
    if (!this.guest) {
      this.shelf.openWhenUsed();
      takeOpened((files) => void this.take(files));
    }
    try {
      await this.library.load();
      await this.presets.load();
    } catch (error) {
      this.#trouble(error);
    }
    this.firstVisit = !this.#address.model && this.library.entries.length === 0 && remembered(BEGUN) === null;
    await this.follow(location.hash);
    if (!this.guest) await takeShared(this.draft);
    if (!this.guest) this.#askFrom(takeAsked());
    if (!this.firstVisit) void this.#warm();
  }

  /** Opens what a part of an address names: `#chat=ID`, or a new conversation. */
  async follow(hash: string): Promise<void> {
    const id = new URLSearchParams(hash.slice(1)).get('chat');
    if (this.view === 'thread' && id === (this.thread.isNew ? null : this.thread.id)) return;
    this.note = lasting(this.note);
    const live = this.answerer.live?.thread;
    if (id !== null && live?.id === id) this.thread = live;
    else if (!(await this.#open(id))) return;
    this.view = 'thread';
    void this.draft.turnTo(id ?? undefined);
    await this.#noticeElsewhere();
  }

  get models(): readonly ModelEntry[] {
    return this.#models.all;
  }

  get pocket(): ModelEntry {
    return this.#models.pocket;
  }

  get shelf(): Shelf {
    return this.#models.shelf;
  }

  // ---- asking and answering ------------------------------------------------------------------------------------

  get answering(): boolean {
    return this.answerer.live?.thread === this.thread;
  }

  /** Opens the model, without a question. */
  begin(): void {
    this.firstVisit = false;
    remember(BEGUN, '1');
    void this.#warm();
  }

  /** From now on this model answers here, and in conversations that begin. @param model as settings name it */
  use(model: string): void {
    remember(MODEL, model);
    const id = storedId(model);
    if (id !== undefined) this.shelf.dismiss(id);
    this.thread.set({ settings: { ...this.thread.conversation.settings, model } });
    this.begin();
  }

  /** What was written and attached. */
  async send(): Promise<void> {
    if (this.answerer.live) return;
    const { text, files } = this.draft;
    this.draft.clear();
    await this.ask(text.trim(), files);
  }

  /** Leaves alone what is being written. */
  async ask(text: string, files: readonly TextFile[] = []): Promise<void> {
    if (this.answerer.live) return;
    this.note = lasting(this.note);
    await this.#askAt(this.thread.path.at(-1), text, files);
  }

  /** Writes a message anew, beside the old one; a question is answered. */
  async edit({ parent, role, message }: Node, text: string): Promise<void> {
    if (role === 'assistant') {
      this.thread.add(parent, { role, text, edited: true });
      return;
    }
    await this.#askAt(parent === null ? undefined : this.thread.node(parent), text, message.files);
  }

  /** Another answer beside this one; or one to a question that has none. */
  async regenerate(node: Node): Promise<void> {
    const question = node.role === 'user' ? node.id : node.parent;
    await this.#answer(this.thread.add(question, { role: 'assistant', text: '' }));
  }

  /** Goes on with an answer, from where it ended. */
  async continue(node: Node): Promise<void> {
    await this.#answer(node);
  }

  stop(): void {
    this.answerer.stop();
  }

  // ---- conversations -------------------------------------------------------------------------------------------

  newChat(): void {
    // What is open decides the settings of the next one.
    if (this.guest || location.hash === '' || location.hash === '#') void this.follow('');
    else location.hash = '';
  }

  removeMessage(node: Node): void {
    const { thread } = this;
    if (this.answerer.live?.thread === thread) this.stop();
    const removed = thread.remove(node.id);
    const undo = (): void => thread.restore(removed);
    this.note = { text: t().message.removed(removed.messages.length), undo, of: thread.id };
  }

  /** The same for one that is open and one that is not. */
  async change(id: string, changes: Partial<Pick<Conversation, 'title' | 'pinned' | 'settings'>>): Promise<void> {
    if (id === this.thread.id) return this.thread.set(changes);
    const entry = this.library.get(id);
    if (!entry || entry.newer) return;
    const conversation = { ...entry.conversation, ...changes };
    this.library.put(conversation);
    await this.#kept(this.#store.put({ conversation, messages: [] }));
  }

  async removeConversation(id: string): Promise<void> {
    if (this.answerer.live?.thread.id === id) this.stop();
    const whole = await this.#kept(this.#store.open(id));
    if (!whole) return;
    await this.#kept(this.#store.remove(id));
    this.library.drop(id);
    const open = id === this.thread.id;
    if (open) this.newChat();
    const title = whole.conversation.title || t().sidebar.untitled;
    this.note = {
      text: t().sidebar.removed(title),
      undo: () => {
        this.library.put(whole.conversation);
        void this.#kept(this.#store.put(whole)).then(() => {
          if (open && !this.guest) location.hash = `#chat=${id}`;
        });
      },
    };
  }

  set(settings: ChatSettings): void {
    const before = this.settings;
    this.thread.set({ settings });
    const { model, load } = this.settings;
    if (!this.firstVisit && (model !== before.model || load.path !== before.load.path)) void this.#warm();
  }

  // ---- files: what is saved as one is the library's ------------------------------------------------------------

  /** Takes conversations in from a file's text, and shows the last one. */
  async import(text: string): Promise<void> {
    try {
      const wholes = await this.library.import(text);
      this.firstVisit = false;
      this.note = { text: t().settings.imported(wholes.length) };
      const last = wholes.at(-1);
      if (last) location.hash = `#chat=${last.conversation.id}`;
    } catch (error) {
      if (!(error instanceof ConversationError)) throw error;
      this.note = { tone: 'error', text: `${t().settings.importFailed}: ${error.message}` };
    }
  }

  /** Takes in what was dropped here, or opened with the app: a model, exported conversations, or texts to ask about. */
  async take(files: readonly File[]): Promise<void> {
    if (kindOf(files) === 'model') return this.shelf.add(files).catch((error: unknown) => this.refuse(error));
    const texts: File[] = [];
    for (const file of files) {
      if (await isExport(file)) await this.import(await file.text());
      else texts.push(file);
    }
    await this.attach(texts);
  }

  /** Puts files beside what is being written. What is no text is refused. */
  async attach(files: readonly File[]): Promise<void> {
    await attach(this.draft, files, (error) => this.refuse(error));
  }

  /** Something that a person wanted did not work, and the error says what to do. */
  refuse(error: unknown): void {
    this.note = { tone: 'error', text: error instanceof Error ? error.message : String(error) };
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  /** Asked at once only where that opens nothing new and goes nowhere. */
  #askFrom(asked: string | undefined): void {
    if (asked === undefined) return;
    if (!this.firstVisit && this.thread.isNew && 'path' in this.settings.load) void this.ask(asked);
    else this.draft.add(asked);
  }

  #effective(settings: ChatSettings): Effective {
    return effective(this.pocket.url, this.#address, settings, this.pocket.files);
  }

  /** Opens the model of the conversation, when it is here. A conversation that begins does so with one that is. */
  async #warm(): Promise<void> {
    this.#warming?.abort();
    const { signal } = (this.#warming = new AbortController());
    const { model, load } = this.settings;
    await this.answerer.yieldTo(load);
    if (await this.#models.settled(model, signal)) return signal.aborted ? undefined : this.engine.warm(load);
    const { settings } = this.thread.conversation;
    if (signal.aborted || !this.thread.isNew || this.#address.model === model) return;
    this.thread.set({ settings: { ...settings, model: this.pocket.url } });
    await this.#warm();
  }

  async #open(id: string | null): Promise<boolean> {
    if (id === null) {
      const last = this.thread.isNew ? this.library.entries[0]?.conversation : this.thread.conversation;
      const { model } = this.#address;
      const chosen = this.guest ? null : remembered(MODEL);
      const settings = { ...(chosen !== null && { model: chosen }), ...last?.settings, ...(model && { model }) };
      this.thread = new Thread(this.#host, settings);
      return true;
    }
    try {
      const whole = await this.#store.open(id);
      if (whole) this.thread = new Thread(this.#host, whole);
      else this.view = 'gone';
      return whole !== undefined;
    } catch (error) {
      if (error instanceof ConversationError && error.code === 'newer') this.view = 'newer';
      else this.#trouble(error);
      return false;
    }
  }

  async #askAt(after: Node | undefined, text: string, files: readonly TextFile[] = []): Promise<void> {
    const { thread } = this;
    const fresh = thread.isNew;
    const question = thread.add(after?.id ?? null, { role: 'user', text, ...(files.length > 0 && { files }) });
    if (fresh && !this.guest) location.replace(`#chat=${thread.id}`);
    const outcome = await this.#answer(thread.add(question.id, { role: 'assistant', text: '' }));
    // It goes back to where it was written, if that is still in sight.
    if (outcome === 'written' || thread !== this.thread) return;
    thread.remove(question.id);
    if (thread.path.length === 0) thread.set({ title: '' });
    this.draft.add(text, files);
  }

  /** One at a time: what is being written ends first. */
  async #answer(node: Node): Promise<Outcome> {
    const { thread } = this;
    if (this.answerer.live) await this.answerer.end();
    this.firstVisit = false;
    remember(BEGUN, '1');
    this.announcement = t().thread.responding;
    const outcome = await this.answerer.answer(thread, node, this.#effective(thread.conversation.settings));
    this.engine.lend();
    const { text, failure } = node.message;
    this.announcement = partsOf(text).answer || (failure ? t().message.brokeOff : '');
    return outcome;
  }

  async #follow(change: Change): Promise<void> {
    await this.library.follow(change);
    if (change.type === 'presets') await this.presets.load();
    if (change.type === 'removed' && change.id === this.thread.id) {
      this.stop();
      this.view = 'gone';
    }
    // What this tab is writing it knows better.
    const live = this.answerer.live?.node.id;
    if (change.type === 'message' && change.conversation === this.thread.id && change.id !== live) {
      await this.thread.refresh(change.id);
    }
    if (change.type === 'conversation' && change.id === this.thread.id && !this.answering) {
      await this.thread.refresh();
      await this.#noticeElsewhere();
    }
  }

  /** Answers of this conversation that are not done: does another tab write them? */
  async #noticeElsewhere(): Promise<void> {
    for (const { message, id } of this.thread.path) {
      if (isDone(message) || this.elsewhere.has(id) || this.answerer.live?.node.id === id) continue;
      const { thread } = this;
      const done = (): void => {
        this.elsewhere = new Set([...this.elsewhere].filter((other) => other !== id));
        void thread.refresh(id);
      };
      if (await isWrittenElsewhere(id, done)) this.elsewhere = new Set([...this.elsewhere, id]);
    }
  }

  async #kept<T>(written: Promise<T>): Promise<T | undefined> {
    try {
      return await written;
    } catch (error) {
      this.#trouble(error);
      return undefined;
    }
  }

  #trouble(error: unknown): void {
    if (error instanceof ConversationError) this.unkept = error;
    else throw error;
  }
}
