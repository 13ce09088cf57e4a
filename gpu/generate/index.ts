/** The token loop: prefill, decode, sampling on the GPU; one conversation or several. */
export { NothingAllowedError } from './errors';
export type { GeneratedToken, GenerateOptions, GenerationEnd, MaskHook } from './options';
export { SessionPool } from './pool';
export type { SessionPoolOptions } from './pool';
export { Session } from './session';
export type { SessionOptions } from './session';
export type { Sampling } from './sampling';
export type { TopTokens } from './top';
