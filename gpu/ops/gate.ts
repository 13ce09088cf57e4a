/** The gated activation of a product that could not do it on the way (gate.wesl). */
import { flatGrid, keptSpec, ParamWriter } from '../device';
import type { Gpu, PipelineSpec, Tensor } from '../device';
import type { Activation } from '../formats/model';
import { sources } from './shaders';

const THREADS = 64;

export function gateSpec(activation: Activation): PipelineSpec {
  return keptSpec(`ops/gate ${activation}`, () => ({
    label: `gate ${activation}`,
    module: 'ops/gate',
    sources,
    conditions: { GELU: activation === 'gelu' },
    bindings: ['uniform', 'read', 'write'],
  }));
}

/** Records y `[M, F]` = activation(gate) * up of pairs `[M, 2F]`, rows of gate then up, all f32; F a multiple of 4. */
export function gate(gpu: Gpu, pairs: Tensor, y: Tensor, activation: Activation): void {
  const fours = y.size / 4;
  gpu.dispatch({
    pipeline: gpu.pipeline(gateSpec(activation)),
    bindings: [null, pairs, y],
    params: new ParamWriter()
      .u32(fours)
      .u32(y.shape.at(-1)! / 4)
      .done(),
    workgroups: flatGrid(gpu, fours, THREADS),
  });
}
