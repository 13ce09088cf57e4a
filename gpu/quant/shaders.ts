/** The WESL modules of this room, by module path. */
import { shaderSources } from '../device';
import type { ShaderSources } from '../device';

export const quantSources: ShaderSources = shaderSources(
  'quant',
  import.meta.glob<string>('./*.wesl', { query: '?raw', import: 'default', eager: true }),
);
