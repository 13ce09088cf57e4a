/** Where the time of a model goes: its dispatches by operation, for a prompt and for a token. */
import type { Gpu } from '$gpu';
import { Session } from '$gpu/generate';
import type { Model } from '$gpu/model';
import type { ModelProfile } from './figures';
import { profilePrompt, profileStep, weightBytes, type StepFigures, type StepOptions } from './operations';

/** Most tokens of the prompt: with the replays behind it they stay within the first page of a cache (gpu/model/cache.ts). */
const LONGEST = 128;
const MOST_REPEATS = 60;
/** Milliseconds that a profile is worth. */
const PATIENCE = 1500;

/** `promptTokens`: what the device reads in a short time. The model must not be answering. */
export async function profileModel(gpu: Gpu, model: Model, promptTokens: number): Promise<ModelProfile> {
  const prompt = Math.min(LONGEST, promptTokens, Math.floor(model.context / 2));
  const session = new Session(model, { context: Math.min(model.context, 2 * LONGEST) });
  try {
    await session.ready();
    const ids = Array.from({ length: prompt }, (_, n) => (7 + n * 17) % model.config.vocab);
    const answer = session.generate(ids, { maxTokens: 2 });
    while (!(await answer.next()).done);
    const plan = session.decodePlan();
    return {
      prompt: await repeated((options) => profilePrompt(gpu, model, prompt, options), MOST_REPEATS),
      token: await repeated(
        (options) => profileStep(gpu, plan, 1, prompt, options),
        // Every replay takes a place in the cache.
        Math.min(MOST_REPEATS, model.context - prompt - 8),
      ),
      weightBytes: weightBytes(model),
    };
  } finally {
    session.destroy();
  }
}

/** Once to see how long it takes, and then as often as it is worth. */
async function repeated(profile: (options: StepOptions) => Promise<StepFigures>, most: number): Promise<StepFigures> {
  const start = performance.now();
  const once = await profile({ repeats: 1, taken: 'mean' });
  const repeats = Math.floor(PATIENCE / (performance.now() - start));
  return repeats < 2 ? once : profile({ repeats: Math.min(repeats, most), taken: 'mean' });
}
