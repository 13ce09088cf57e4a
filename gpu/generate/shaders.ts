/** The WESL modules of this room, by module path. */
import { shaderSources } from '../device';
import type { ShaderSources } from '../device';

export const generateSources: ShaderSources = shaderSources(
  'generate',
  import.meta.glob<string>('./*.wesl', { query: '?raw', import: 'default', eager: true }),
);
