/** How positions turn, out of config.json: in `rope_scaling` and `rope_theta`, or in `rope_parameters` of newer files. */
import type { Architecture } from '$gpu/formats/families';
import type { RopeConfig, RopeScaling } from '$gpu/formats/model';
import { LOCAL_THETA, yarnMagnitude } from './config-layers';
import type { Fields } from './fields';

export function ropeOf(fields: Fields, architecture: Architecture, headDim: number, context: number): RopeConfig {
  const parameters = ropeFields(fields, 'full_attention');
  const dims = dimsOf(fields, headDim);
  const scaling = scalingOf(parameters, { context, dims }, fields);
  return {
    theta: (parameters.has('rope_theta') ? parameters : fields).positive('rope_theta', defaultTheta(architecture)),
    dims,
    pairing: 'halves',
    ...(scaling && { scaling }),
  };
}

/** Gemma 3's windowed layers turn as the model was first trained, whatever became of the others. */
export function localRopeOf(fields: Fields, architecture: Architecture, headDim: number): RopeConfig | undefined {
  if (architecture !== 'gemma3') return undefined;
  const nested = fields.object('rope_parameters')?.object('sliding_attention');
  const theta = nested
    ? nested.positive('rope_theta', LOCAL_THETA)
    : fields.positive('rope_local_base_freq', LOCAL_THETA);
  return { theta, dims: dimsOf(fields, headDim), pairing: 'halves' };
}

function defaultTheta(architecture: Architecture): number {
  return architecture === 'gemma3' ? 1e6 : 10000;
}

function dimsOf(fields: Fields, headDim: number): number {
  return Math.floor(headDim * fields.positive('partial_rotary_factor', 1));
}

/** Where a file keeps its scaling: by kind of layer, flat, or in the older field. */
function ropeFields(fields: Fields, kind: string): Fields {
  const parameters = fields.object('rope_parameters');
  return parameters?.object(kind) ?? parameters ?? fields.object('rope_scaling') ?? fields.empty();
}

/** Positions that the model was trained for, elements of a head that turn. */
interface Sizes {
  readonly context: number;
  readonly dims: number;
}

function scalingOf(rope: Fields, sizes: Sizes, model: Fields): RopeScaling | undefined {
  const type = rope.text(rope.has('rope_type') ? 'rope_type' : 'type', 'default');
  switch (type) {
    case 'default':
    case 'none':
      return undefined;
    case 'linear':
      return { kind: 'linear', factor: rope.positive('factor') };
    case 'llama3':
      return {
        kind: 'llama3',
        factor: rope.positive('factor'),
        fast: rope.positive('high_freq_factor'),
        slow: rope.positive('low_freq_factor'),
        original: rope.size('original_max_position_embeddings'),
      };
    case 'yarn': {
      const factor = rope.positive('factor');
      return {
        kind: 'yarn',
        factor,
        fast: rope.positive('beta_fast', 32),
        slow: rope.positive('beta_slow', 1),
        original: rope.size('original_max_position_embeddings', sizes.context),
        magnitude: rope.positive('attention_factor', yarnMagnitude(factor)),
      };
    }
    case 'longrope':
    case 'su':
      return longrope(rope, sizes, model);
    default:
      return rope.refuse('rope_type', `positions scaled by «${type}», which cannot be computed.`);
  }
}

/** Ding et al., LongRoPE, arXiv 2402.13753. */
function longrope(rope: Fields, { context, dims }: Sizes, model: Fields): RopeScaling {
  const field = 'original_max_position_embeddings';
  const original = (rope.has(field) ? rope : model).size(field);
  const factor = context / original;
  const softening = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  return {
    kind: 'factors',
    short: rope.positives('short_factor', dims / 2),
    long: rope.positives('long_factor', dims / 2),
    original,
    magnitude: rope.positive('attention_factor', softening),
  };
}
