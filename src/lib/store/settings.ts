/** Which hub is asked, and with which token. A token is kept where the person says: for this page alone, or on the device. */
import { del, get, set } from 'idb-keyval';
import { HUGGING_FACE } from './address';
import { Database } from './database';
import { StoreError } from './errors';
import { without } from './records';

export interface HubSettings {
  /** Address of the hub: Hugging Face, a mirror, a company's own. */
  readonly hub: string;
  readonly token?: string;
  /** Where the token is kept. `page`: until the page is closed. */
  readonly keep: 'page' | 'device';
}

export const DEFAULT_HUB: HubSettings = { hub: HUGGING_FACE, keep: 'page' };

/** What a person set, beside models and conversations. */
export const settingsDatabase = new Database('fireside-settings', [
  (opened) => void opened.createObjectStore('values'),
]);
const KEY = 'hub';

export async function loadHubSettings(): Promise<HubSettings> {
  return (await get<HubSettings>(KEY, settingsDatabase.store('values'))) ?? DEFAULT_HUB;
}

/** Writes down what is to be kept, and forgets what is not. */
export async function saveHubSettings(settings: HubSettings): Promise<void> {
  const kept = settings.keep === 'device' ? settings : without(settings, 'token');
  const isDefault = kept.hub === HUGGING_FACE && !('token' in kept);
  if (isDefault) await del(KEY, settingsDatabase.store('values', 'strict'));
  else await set(KEY, kept, settingsDatabase.store('values', 'strict'));
}

/** Throws a `StoreError` of the problem `address`. */
export function checkHub(hub: string): string {
  let url: URL;
  try {
    url = new URL(hub.includes('://') ? hub : `https://${hub}`);
  } catch {
    throw new StoreError('address', `«${hub}» is no address of a hub. It is like https://huggingface.co.`);
  }
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && local)) {
    return (url.origin + url.pathname).replace(/\/+$/, '');
  }
  throw new StoreError('address', `A hub is asked through https://, so that nobody reads along; «${hub}» is not.`);
}
