/** The token loop: prefill, decode, sampling on the GPU. */
export { NothingAllowedError } from './errors';
export type { GeneratedToken, GenerateOptions, GenerationEnd, MaskHook } from './options';
export { Session } from './session';
export type { SessionOptions } from './session';
export type { Sampling } from './sampling';
export type { TopTokens } from './top';
