/** The token loop: prefill, decode, sampling on the GPU. */
export { Session } from './session';
export type { GeneratedToken, GenerateOptions, GenerationEnd } from './session';
export type { Sampling } from './sampling';
export type { TopTokens } from './top';
