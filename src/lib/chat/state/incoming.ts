/** What comes into the chat from outside: texts that another app shares, and files that are opened with this one. */
import type { Draft } from './drafts.svelte';

/** Parts of an address that another app fills in; see `share_target` in the manifest. */
const SHARED = ['title', 'text', 'url'] as const;

/** A question, as browsers' search shortcuts ask: `?q=`. */
const ASKED = 'q';

/** What another app has shared, each thing once. Undefined: nothing. */
export function sharedText(search: string): string | undefined {
  const given = new URLSearchParams(search);
  const parts = SHARED.map((name) => given.get(name)?.trim() ?? '');
  // Many apps put the address into the text as well.
  const fresh = parts.filter(
    (part, i) => part !== '' && !parts.some((other, j) => j !== i && repeats(other, part, j < i)),
  );
  return fresh.length > 0 ? fresh.join('\n\n') : undefined;
}

function repeats(other: string, part: string, before: boolean): boolean {
  return other === part ? before : other.includes(part);
}

/** An address without what was shared: a reload is not to share it again. */
export function withoutShared({ pathname, search, hash }: Location): string {
  const given = new URLSearchParams(search);
  for (const name of [...SHARED, ASKED]) given.delete(name);
  const rest = given.toString();
  return `${pathname}${rest && `?${rest}`}${hash}`;
}

/** What another app has shared becomes what one is writing. */
export async function takeShared(draft: Draft): Promise<void> {
  const shared = sharedText(location.search);
  if (shared === undefined) return;
  history.replaceState(history.state, '', withoutShared(location));
  await draft.turnTo(undefined);
  draft.add(shared);
}

/** A question that the address brings, once: a reload is not to ask it again. */
export function takeAsked(): string | undefined {
  const asked = new URLSearchParams(location.search).get(ASKED)?.trim();
  if (!asked) return undefined;
  history.replaceState(history.state, '', withoutShared(location));
  return asked;
}

/** As much of the File Handling API as this needs; TypeScript does not know it. */
interface LaunchQueue {
  setConsumer(consumer: (launched: { readonly files: readonly FileSystemFileHandle[] }) => void): void;
}

/** Takes files that the system opens with this app, now and later. Browsers without that open none. */
export function takeOpened(take: (files: readonly File[]) => void): void {
  const { launchQueue } = globalThis as { readonly launchQueue?: LaunchQueue };
  launchQueue?.setConsumer(({ files }) => {
    if (files.length === 0) return;
    void Promise.all(files.map((handle) => handle.getFile())).then(take);
  });
}
