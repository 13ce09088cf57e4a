/** How positions turn, out of config.json: in `rope_scaling` and `rope_theta`, or in `rope_parameters` of newer files. */
import type { Architecture } from '$gpu/formats/families';
import type { RopeConfig, RopeScaling } from '$gpu/formats/model';
import { LOCAL_THETA, yarnMagnitude } from './config-layers';
import type { Fields } from './fields';

export function ropeOf(fields: Fields, architecture: Architecture, headDim: number, context: number): RopeConfig {
  const parameters = ropeFields(fields, 'full_attention');
  const scaling = scalingOf(parameters, context, fields);
  return {
    theta: (parameters.has('rope_theta') ? parameters : fields).number('rope_theta', defaultTheta(architecture)),
    dims: dimsOf(fields, headDim),
    pairing: 'halves',
    ...(scaling && { scaling }),
  };
}

/** Gemma 3's windowed layers turn as the model was first trained, whatever became of the others. */
export function localRopeOf(fields: Fields, architecture: Architecture, headDim: number): RopeConfig | undefined {
  if (architecture !== 'gemma3') return undefined;
  const nested = fields.object('rope_parameters')?.object('sliding_attention');
  const theta = nested ? nested.number('rope_theta', LOCAL_THETA) : fields.number('rope_local_base_freq', LOCAL_THETA);
  return { theta, dims: dimsOf(fields, headDim), pairing: 'halves' };
}

function defaultTheta(architecture: Architecture): number {
  return architecture === 'gemma3' ? 1e6 : 10000;
}

function dimsOf(fields: Fields, headDim: number): number {
  return Math.floor(headDim * fields.number('partial_rotary_factor', 1));
}

/** Where a file keeps its scaling: by kind of layer, flat, or in the older field. */
function ropeFields(fields: Fields, kind: string): Fields {
  const parameters = fields.object('rope_parameters');
  return parameters?.object(kind) ?? parameters ?? fields.object('rope_scaling') ?? fields.empty();
}

function scalingOf(rope: Fields, context: number, model: Fields): RopeScaling | undefined {
  const type = rope.text(rope.has('rope_type') ? 'rope_type' : 'type', 'default');
  switch (type) {
    case 'default':
    case 'none':
      return undefined;
    case 'linear':
      return { kind: 'linear', factor: rope.number('factor') };
    case 'llama3':
      return {
        kind: 'llama3',
        factor: rope.number('factor'),
        fast: rope.number('high_freq_factor'),
        slow: rope.number('low_freq_factor'),
        original: rope.count('original_max_position_embeddings'),
      };
    case 'yarn': {
      const factor = rope.number('factor');
      return {
        kind: 'yarn',
        factor,
        fast: rope.number('beta_fast', 32),
        slow: rope.number('beta_slow', 1),
        original: rope.count('original_max_position_embeddings', context),
        magnitude: rope.number('attention_factor', yarnMagnitude(factor)),
      };
    }
    case 'longrope':
    case 'su':
      return longrope(rope, context, model);
    default:
      return rope.refuse('rope_type', `positions scaled by «${type}», which cannot be computed.`);
  }
}

/** Ding et al., LongRoPE, arXiv 2402.13753. */
function longrope(rope: Fields, context: number, model: Fields): RopeScaling {
  const field = 'original_max_position_embeddings';
  const original = (rope.has(field) ? rope : model).count(field);
  const factor = context / original;
  const softening = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  return {
    kind: 'factors',
    short: rope.numbers('short_factor'),
    long: rope.numbers('long_factor'),
    original,
    magnitude: rope.number('attention_factor', softening),
  };
}
