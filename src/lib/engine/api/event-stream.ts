/** Objects as server-sent events, as OpenAI's clients read them: `data: {...}`, and `data: [DONE]` in the end. */
import type { ApiError } from './errors';

const encoder = new TextEncoder();

/**
 * Waits for the first object, so that whatever is wrong before it is an error with a status of its own. What goes wrong
 * later is a last event.
 *
 * @param toError what was thrown, in OpenAI's shape
 * @param leave whoever reads has gone
 */
export async function eventStream(
  objects: AsyncGenerator<object, void, undefined>,
  toError: (error: unknown) => ApiError,
  leave: () => void,
): Promise<Response> {
  let next: Promise<IteratorResult<object, void>> = Promise.resolve(await objects.next());
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const send = (data: string): void => controller.enqueue(encoder.encode(`data: ${data}\n\n`));
      try {
        const step = await next;
        if (!step.done) {
          send(JSON.stringify(step.value));
          next = objects.next();
          // It is awaited with the next pull.
          next.catch(() => undefined);
          return;
        }
        send('[DONE]');
      } catch (error) {
        // Whoever reads has stopped it, and is told as `fetch` would.
        if (error instanceof Error && error.name === 'AbortError') return controller.error(error);
        send(JSON.stringify(toError(error)));
      }
      controller.close();
    },
    cancel: leave,
  });
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache' },
  });
}
