/** A JSON answer whose body comes later than its head: it can be left in between. */
const encoder = new TextEncoder();

/**
 * Rejects with what goes wrong before `whole` says that it has started; what goes wrong later breaks the body off.
 *
 * @param leave whoever reads has gone
 */
export async function earlyJson(whole: (started: () => void) => Promise<object>, leave: () => void): Promise<Response> {
  let answer: Promise<object> | undefined;
  await new Promise<void>((begun, failed) => {
    answer = whole(begun);
    answer.then(() => begun(), failed);
  });
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      // What it rejects with, breaks the stream off.
      controller.enqueue(encoder.encode(JSON.stringify(await answer)));
      controller.close();
    },
    cancel: leave,
  });
  return new Response(body, { headers: { 'Content-Type': 'application/json' } });
}
