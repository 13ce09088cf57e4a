/** From a model's address to a model that answers on the processor. */
import { blobOf, defaultThreads, loadOnCpu, threadsHere } from './cpu-load';
import { ChatModel } from './chat-model';
import { EngineFault } from './errors';
import type { LoadContext, Opened } from './host';
import { openModel } from './open-model';
import { placeOf } from './place';

/** Tokens, unless more are asked for: memory grows with them. */
const USUAL_CONTEXT = 4096;

export async function openOnCpu({ request, signal, progress }: LoadContext): Promise<Opened> {
  const place = await placeOf(request, signal);
  if (!('file' in place)) {
    throw new EngineFault('cpu', 'Without a GPU, models run from a GGUF file only. This is a folder of safetensors.');
  }
  const opened = await openModel(place, signal);
  const { weights, tokenizer, template, name } = opened;
  const architecture = weights.metadata.string('general.architecture');
  const trained = weights.metadata.count(`${architecture}.context_length`, USUAL_CONTEXT);
  const context = Math.min(request.context ?? USUAL_CONTEXT, trained);
  const threads = threadsHere(request.threads ?? defaultThreads());
  const total = weights.files.reduce((sum, { size }) => sum + size, 0);
  const gguf: Blob[] = [];
  let before = 0;
  for (const file of weights.files) {
    gguf.push(await blobOf(file, signal, (done) => progress({ phase: 'read', done: before + done, total })));
    before += file.size;
  }
  await opened.close();
  progress({ phase: 'compile' });
  const runner = await loadOnCpu(gguf, { context, threads });
  return { model: new ChatModel({ tokenizer, template, runner }), facts: { name, threads, bytes: total } };
}
