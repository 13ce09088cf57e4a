/**
 * A worker beside the storage that the app has as a site of its own, for frames of it in other sites (shared.ts). It lives
 * as long as one of them does.
 */
import { serveStore } from './serve';

// Of workers' globals TypeScript knows those of dedicated ones here.
const scope = self as unknown as {
  addEventListener(type: 'connect', listener: (event: MessageEvent) => void): void;
};

scope.addEventListener('connect', ({ ports: [port] }) => {
  if (!port) return;
  const { end } = serveStore(port);
  // The frame is gone, however it went.
  port.addEventListener('close', end);
  port.start();
});
