/** The WESL modules of this room, by module path; its kernels read weights through gpu/quant's. */
import { shaderSources } from '../device';
import type { ShaderSources } from '../device';
import { quantSources } from '../quant';

export const sources: readonly ShaderSources[] = [
  shaderSources('ops', import.meta.glob<string>('./*.wesl', { query: '?raw', import: 'default', eager: true })),
  quantSources,
];
