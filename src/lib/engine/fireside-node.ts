/** Fireside under Node: as in a page (fireside.ts), on Dawn, which is the package `webgpu`. */
import { openFireside, type Fireside, type FiresideOptions } from './fireside';
import { NodeEngine } from './node';

export {
  ApiError,
  createHandler,
  EngineError,
  type AnswerEnd,
  type ApiEngine,
  type Fireside,
  type FiresideOptions,
  type Handler,
  type HandlerOptions,
  type LoadedModel,
  type LoadProgress,
} from './fireside';

/** Opens the model; rejects with an EngineError where that fails. */
export function createFireside(options: FiresideOptions): Promise<Fireside> {
  return openFireside(new NodeEngine(), options);
}
