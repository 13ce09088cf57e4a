/** Whether a new version of the app is ready, and the way to it. Nothing is reloaded unless the person says so. */
import { TAKE_OVER } from './messages';

export class Updates {
  #waiting = $state<ServiceWorker | undefined>();
  #asked = false;

  /** A new version is there, whole, and waits. */
  get ready(): boolean {
    return this.#waiting !== undefined;
  }

  /** Begins to look; returns what ends that. Where there is no service worker, nothing ever comes. */
  watch(container: ServiceWorkerContainer | undefined = globalThis.navigator?.serviceWorker): () => void {
    if (!container) return () => undefined;
    const reload = (): void => {
      // The first version takes over pages too, which is no reason to reload them.
      if (this.#asked) location.reload();
    };
    container.addEventListener('controllerchange', reload);
    void container.ready.then((registration) => this.#follow(registration, container));
    return () => container.removeEventListener('controllerchange', reload);
  }

  /** Lets the new version take over; the page reloads with it. */
  takeOver(): void {
    this.#asked = true;
    this.#waiting?.postMessage(TAKE_OVER);
  }

  #follow(registration: ServiceWorkerRegistration, container: ServiceWorkerContainer): void {
    const note = (): void => {
      // Without a controller the one that waits is the first, and takes over by itself.
      if (registration.waiting && container.controller) this.#waiting = registration.waiting;
    };
    note();
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', note);
    });
  }
}
