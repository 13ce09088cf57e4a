/** Weights of 16 or 32 bits to blocks of 8 or 4, on the GPU as they come (quantise.wesl). */
import type { TensorType } from '../formats/blocks';
import type { QuantisationError, QuantName } from '../formats/quantise';
import { keptSpec, ParamWriter } from '../device';
import type { Gpu, PipelineSpec, Tensor } from '../device';
import { LAYOUTS, layoutConditions, layoutConstants, layoutOf } from './layouts';
import type { Layout } from './layouts';
import type { MatrixPart } from './matrix';
import { quantSources } from './shaders';

/** Elements of a block. */
const BLOCK = 32;
/** Workgroups at most: each has a place of its own for the errors it meets. */
const PLACES = 256;
/** Of a workgroup. */
const THREADS = 64;

/** The layout that a tensor is quantised to, or undefined where it stays as it is: in blocks already, or too narrow. */
export function quantisedLayout(type: TensorType, columns: number, to: QuantName): Layout | undefined {
  return layoutOf(type)?.scaled === 0 && columns % BLOCK === 0 ? LAYOUTS[to] : undefined;
}

export function quantiseSpec(type: TensorType, to: Layout): PipelineSpec {
  return keptSpec(`quant/quantise ${type} ${to.name}`, () => {
    const source = layoutOf(type)!;
    return {
      label: `quantise ${type} ${to.name}`,
      module: 'quant/quantise',
      sources: [quantSources],
      conditions: { ...layoutConditions(source, BLOCK), TO_Q8: to.name === 'q8', TO_Q4: to.name === 'q4' },
      constants: layoutConstants(source),
      bindings: ['uniform', 'read', 'none', 'write', 'write', 'write'],
    };
  });
}

/** Quantises one tensor, piece by piece, and keeps count of its errors. */
export class Quantiser {
  /** `[PLACES, 4]` f32, as quantise.wesl has them. */
  readonly #errors: Tensor;

  constructor(
    private readonly gpu: Gpu,
    private readonly type: TensorType,
  ) {
    this.#errors = gpu.empty([PLACES, 4], 'f32');
    gpu.fill(this.#errors, 0);
  }

  /** Writes the numbers in `bytes`, whole blocks of 32, into a part of a matrix, from its block `first` on. */
  write(part: MatrixPart, first: number, bytes: Uint8Array): void {
    const { gpu, type } = this;
    const blocks = (bytes.length * layoutOf(type)!.chunk) / 16 / BLOCK;
    gpu.scoped(() => {
      const source = gpu.scratch([bytes.length], 'u8');
      gpu.writeBytes(source, bytes);
      gpu.dispatch({
        pipeline: gpu.pipeline(quantiseSpec(type, part.layout)),
        bindings: [null, source, null, part.codes, part.scales!, this.#errors],
        params: new ParamWriter().u32(blocks).u32(first).done(),
        workgroups: [Math.min(PLACES, Math.ceil(blocks / THREADS))],
      });
    });
  }

  /** How far off everything is that was written; the count is given back with it. */
  async finish(): Promise<QuantisationError> {
    const places = await this.gpu.download(this.#errors);
    this.destroy();
    let [squaredError, squares, most, largest] = [0, 0, 0, 0];
    for (let at = 0; at < places.length; at += 4) {
      squaredError += places[at]!;
      squares += places[at + 1]!;
      most = Math.max(most, places[at + 2]!);
      largest = Math.max(largest, places[at + 3]!);
    }
    // A tensor of zeros is exact.
    if (largest === 0) return { rms: 0, max: 0 };
    return { rms: Math.sqrt(squaredError / squares), max: most / largest };
  }

  destroy(): void {
    this.#errors.destroy();
  }
}
