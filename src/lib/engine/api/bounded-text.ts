/** A body's text, of at most so many bytes; undefined: there are more, and the rest is not read. */
export async function boundedText(body: ReadableStream<Uint8Array> | null, most: number): Promise<string | undefined> {
  if (!body) return '';
  const decoder = new TextDecoder('utf-8');
  const reader = body.getReader();
  let text = '';
  let bytes = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    bytes += step.value.length;
    if (bytes > most) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(step.value, { stream: true });
  }
  return text + decoder.decode();
}
