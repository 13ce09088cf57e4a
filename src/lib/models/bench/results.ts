/** Measured figures as a file, for other programs and for reports. */
import type { AnswerFigures, Failure, GpuFigures, LoadedModel, ModelProfile } from '$lib/engine/protocol';

/** What there is of a measurement. */
export interface Measured {
  readonly gpu: GpuFigures | undefined;
  readonly noGpu: Failure | undefined;
  readonly model: LoadedModel | undefined;
  readonly answers: AnswerFigures | undefined;
  readonly profile: ModelProfile | undefined;
}

/** As JSON; times are milliseconds, rates a second. `version`: of the app. */
export function resultsJson({ gpu, noGpu, model, answers, profile }: Measured, version: string): string {
  const results = {
    program: 'Fireside',
    version,
    at: new Date().toISOString(),
    browser: navigator.userAgent,
    processors: navigator.hardwareConcurrency,
    gpu: gpu ?? { failure: noGpu },
    model: model && { ...model, answers, profile },
  };
  return JSON.stringify(results, null, 2);
}
