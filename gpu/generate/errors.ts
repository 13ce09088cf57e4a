/** Why no token could be drawn. */
import { GpuError } from '../device';

/** Mask and bias together forbid every token. */
export class NothingAllowedError extends GpuError {
  override readonly name = 'NothingAllowedError';

  /** @param drawn tokens of the answer before the one that could not be drawn */
  constructor(readonly drawn: number) {
    const message =
      `No token is allowed after the first ${drawn} of the answer: the mask and the logit bias forbid all of them. ` +
      'Where a grammar has come to its end, its mask has to allow a token that ends the answer.';
    super('nothing-allowed', message);
  }
}

export function notNumbers(): GpuError {
  return new GpuError(
    'self-test',
    'The model computed something that is not a number. Its file may be damaged, or this GPU computes wrongly: check the file, update the graphics driver, or use the CPU.',
  );
}
