/** From a call to the specialisation of a kernel: the conditions and constants its shader is linked with. */
import type { BindingKind, DType, Gpu } from '../device';
import { isRagged, modifiesScores } from './problem';
import type { Call } from './problem';
import { attentionSources } from './shaders';

export { keptSpec } from '../device';

/** All that makes one specialisation differ from another, apart from the kernel itself. */
export interface Traits {
  readonly headDim: number;
  readonly q: DType;
  readonly kv: DType;
  readonly out: DType;
  readonly ragged: boolean;
  readonly sequences: boolean;
  readonly paged: boolean;
  readonly scoreMods: boolean;
}

export function traitsOf(call: Call): Traits {
  const { dims, q, k, v, out } = call;
  return {
    headDim: dims.headDim,
    q: q.tensor.dtype,
    kv: k.tensor.dtype,
    out: out.tensor.dtype,
    ragged: [q, k, v, out].some((operand) => isRagged(dims.headDim, operand)),
    sequences: call.sequences !== undefined,
    paged: call.paging !== undefined,
    scoreMods: modifiesScores(call),
  };
}

export function traitsKey(traits: Traits): string {
  const { headDim, q, kv, out, ragged, sequences, paged, scoreMods } = traits;
  const flags = [ragged && 'ragged', sequences && 'sequences', paged && 'paged', scoreMods && 'mods'].filter(Boolean);
  return [`d${headDim}`, q, kv, out, ...flags].join(' ');
}

/** 16-bit storage is read as f16 vectors where the variant asks for it, the device can and rows allow it. */
export function storageConditions(traits: Traits, native: boolean): Record<string, boolean> {
  const vectors = native && !traits.ragged;
  return {
    ...operandConditions('Q', traits.q, vectors),
    ...operandConditions('KV', traits.kv, vectors),
    OUT_F32: traits.out === 'f32',
    OUT_F16: traits.out === 'f16',
    OUT_BF16: traits.out === 'bf16',
    RAGGED: traits.ragged,
    SEQUENCES: traits.sequences,
    PAGED: traits.paged,
    SCORE_MODS: traits.scoreMods,
  };
}

export function operandConditions(name: string, dtype: DType, native: boolean): Record<string, boolean> {
  return {
    [`${name}_F32`]: dtype === 'f32',
    [`${name}_F16`]: dtype === 'f16' && !native,
    [`${name}_NATIVE`]: dtype === 'f16' && native,
    [`${name}_BF16`]: dtype === 'bf16',
    [`${name}_ROWS8`]: dtype === 'u8',
  };
}

/** Bindings of a kernel that reads q, k, v and writes out and lse: problem.wesl, load.wesl, store.wesl. */
export function attentionBindings(traits: Traits): BindingKind[] {
  return [
    'uniform',
    'read',
    'read',
    'read',
    'write',
    'write',
    traits.sequences ? 'read' : 'none',
    traits.paged ? 'read' : 'none',
  ];
}

export const sources = [attentionSources] as const;

/** Largest workgroup memory and size a kernel may use on this device. */
export function fits(gpu: Gpu, need: { threads: number; memory: number }): boolean {
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX, maxComputeWorkgroupStorageSize } = gpu.limits;
  return (
    need.threads <= maxComputeInvocationsPerWorkgroup &&
    need.threads <= maxComputeWorkgroupSizeX &&
    need.memory <= maxComputeWorkgroupStorageSize
  );
}
