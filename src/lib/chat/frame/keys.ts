/** The page's shortcuts: which keys, what they do, and how they are written down. */
import type { Messages } from '$lib/ui/language.svelte';

export type Shortcut =
  | 'newChat'
  | 'search'
  | 'write'
  | 'stop'
  | 'regenerate'
  | 'copyLast'
  | 'older'
  | 'newer'
  | 'sidebar'
  | 'settings'
  | 'help';

interface Binding {
  readonly does: Shortcut;
  /** `KeyboardEvent.code` for letters, which Alt turns into others; else `key`. */
  readonly code?: string;
  readonly key?: string;
  readonly modifier?: 'alt' | 'control';
}

const BINDINGS: readonly Binding[] = [
  { does: 'newChat', code: 'KeyN', modifier: 'alt' },
  { does: 'search', code: 'KeyK', modifier: 'control' },
  { does: 'write', code: 'KeyM', modifier: 'alt' },
  { does: 'stop', key: 'Escape' },
  { does: 'regenerate', code: 'KeyR', modifier: 'alt' },
  { does: 'copyLast', code: 'KeyC', modifier: 'alt' },
  { does: 'older', key: 'ArrowDown', modifier: 'alt' },
  { does: 'newer', key: 'ArrowUp', modifier: 'alt' },
  { does: 'sidebar', code: 'KeyB', modifier: 'alt' },
  { does: 'settings', key: ',', modifier: 'control' },
  { does: 'help', key: '?' },
];

/** For the list: a name of the catalogue, and the keys. */
export const LISTED: readonly { readonly name: keyof Messages['keys']; readonly keys: readonly string[] }[] = [
  { name: 'send', keys: ['Enter'] },
  { name: 'line', keys: ['Shift', 'Enter'] },
  { name: 'stop', keys: ['Esc'] },
  { name: 'editLast', keys: ['↑'] },
  { name: 'regenerate', keys: ['Alt', 'R'] },
  { name: 'copyLast', keys: ['Alt', 'C'] },
  { name: 'newChat', keys: ['Alt', 'N'] },
  { name: 'write', keys: ['Alt', 'M'] },
  { name: 'search', keys: ['Ctrl', 'K'] },
  { name: 'older', keys: ['Alt', '↓'] },
  { name: 'newer', keys: ['Alt', '↑'] },
  { name: 'sidebar', keys: ['Alt', 'B'] },
  { name: 'settings', keys: ['Ctrl', ','] },
  { name: 'help', keys: ['?'] },
];

/** @param singleKeys whether a key alone may do something */
export function shortcutFor(event: KeyboardEvent, singleKeys: boolean): Shortcut | undefined {
  if (event.isComposing || event.defaultPrevented) return undefined;
  const { altKey, ctrlKey, metaKey, key, code } = event;
  const modifier = altKey ? 'alt' : ctrlKey || metaKey ? 'control' : undefined;
  const binding = BINDINGS.find(
    (one) => one.modifier === modifier && (one.code === undefined ? one.key === key : one.code === code),
  );
  // A question mark is a letter where one writes.
  if (binding?.does === 'help' && (!singleKeys || isField(event.target))) return undefined;
  return binding?.does;
}

function isField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;
}
