/** Installs the service worker, once the page itself is there: what it keeps for later has to wait for what is needed now. */
export function registerWorker(address: string): void {
  const container: ServiceWorkerContainer | undefined = globalThis.navigator?.serviceWorker;
  if (!container) return;
  // Refused, as in private windows: the app works without it.
  const register = (): void => void container.register(address).catch(() => undefined);
  if (document.readyState === 'complete') register();
  else addEventListener('load', register, { once: true });
}
