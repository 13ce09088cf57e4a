/**
 * The way to what the app keeps as a site of its own. Browsers keep a frame's storage by the site around it; Chromium gives
 * the frame its own site's on request, by handles (Storage Access, «non-cookie storage»:
 * https://privacycg.github.io/saa-non-cookie-storage/). Where that is not to be had, it is as if there were none.
 */
import { SiteModels, type SiteHandle } from '$lib/store/shared';

/** The two came together. */
interface Access {
  requestStorageAccess(types: { readonly indexedDB: true; readonly SharedWorker: true }): Promise<SiteHandle>;
  hasUnpartitionedCookieAccess(): Promise<boolean>;
}

/**
 * @param how `quietly`: only where the browser has been told already. `asked`: it may ask the person, who has just pressed
 *   something; it does so only where they have used the app itself before.
 */
export async function openSite(how: 'quietly' | 'asked'): Promise<SiteModels | undefined> {
  const page = access();
  if (!page) return undefined;
  try {
    if (how === 'quietly' && !(await isGiven(page))) return undefined;
    return new SiteModels(await page.requestStorageAccess({ indexedDB: true, SharedWorker: true }));
  } catch {
    // Refused, by the browser or the person.
    return undefined;
  }
}

/** Whether the browser would have to ask the person, or to decide by itself. */
export async function mayAskForSite(): Promise<boolean> {
  try {
    return access() !== undefined && (await permission()) === 'prompt';
  } catch {
    return false;
  }
}

/** Other browsers take no wishes: they would ask for cookies, which nobody wants here. */
function access(): Access | undefined {
  return 'hasUnpartitionedCookieAccess' in document ? (document as Document & Access) : undefined;
}

async function isGiven(page: Access): Promise<boolean> {
  return (await permission()) === 'granted' || page.hasUnpartitionedCookieAccess();
}

async function permission(): Promise<PermissionState> {
  return (await navigator.permissions.query({ name: 'storage-access' })).state;
}
