/** What can go wrong in this room, and how every error reads on the other side of the worker. */
import { GpuError } from '$gpu';
import { StoreError } from '$lib/store';
import { TextError } from '$lib/text';
import { SourceError, WeightsError } from '$lib/weights';
import type { EngineErrorCode, Failure } from './protocol';

export class EngineFault extends Error {
  override readonly name = 'EngineFault';

  constructor(
    readonly code: EngineErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function describe(error: unknown): Failure {
  if (error instanceof GpuError || error instanceof EngineFault) return { code: error.code, message: error.message };
  if (error instanceof StoreError) return { code: 'store', message: error.message };
  if (error instanceof SourceError) return { code: 'source', message: error.message };
  if (error instanceof WeightsError || error instanceof TextError) return { code: 'model', message: error.message };
  if (isAbort(error)) return { code: 'aborted', message: 'It was stopped.' };
  return { code: 'unknown', message: error instanceof Error ? error.message : String(error) };
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Whether another way of computing may get round it: files that are broken stay broken. */
export function isOfGpu(error: unknown): boolean {
  return error instanceof GpuError;
}
