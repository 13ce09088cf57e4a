/**
 * Products with weights: y = x W^T, with what stands before (RMSNorm) and behind (gated activation, residual) done on
 * the way. Up to 8 rows of x are matrix-vector products (matvec.wesl), more are tiled (matmul.wesl). Software adapters have
 * a kernel of their own for more than one row (matmul_lanes.wesl).
 */
import type { Activation } from '../formats/model';
import { ArgumentError, describe, keptSpec, ParamWriter } from '../device';
import type { Gpu, Params, PipelineSpec, Tensor } from '../device';
import { layoutConditions, layoutConstants } from '../quant';
import type { Layout, Matrix, MatrixPart } from '../quant';
import { gate, gateSpec } from './gate';
import { normSpec, rmsNorm } from './norm';
import { sources } from './shaders';
import { LANES, productWay } from './ways';

export interface NormInput {
  /** `[K]` f32. */
  readonly gain: Tensor;
  readonly eps: number;
}

/**
 * What becomes of the product: y = it; y += it; y = silu(gate) * up or gelu(gate) * up, of a matrix that is [gate; up];
 * or y = cap * tanh(it / cap).
 */
export type ProductMode = 'plain' | 'added' | Activation | 'capped';

export interface ProductOptions {
  /** RMS-normalises x first. */
  readonly norm?: NormInput;
  readonly mode?: ProductMode;
  /** What the product is multiplied by; default 1. A gated one is not. */
  readonly scale?: number;
  /** Of the capped mode. */
  readonly cap?: number;
  /**
   * Multiplies few rows of x by codes as integers, x rounded to 8 bits by block: faster on some GPUs, and no longer
   * exact. Where weights are no such codes it means nothing. Default false.
   */
  readonly integers?: boolean;
  /** Row of x that y's first row is of; default 0. */
  readonly firstToken?: number;
}

/** Rows of x up to which a GPU streams weights past them instead of tiling. */
export const FEW_TOKENS = 8;

/** How matvec.wesl cuts its work: groups of threads that share rows, rows a group. */
const GROUPS = 2;
const ROWS = 4;

/** A kernel for many rows of x, and what one workgroup of it makes. */
interface ManyKernel {
  readonly module: string;
  /** Rows of x. */
  readonly tokens: number;
  /** Rows of W, of both halves where gated. */
  readonly rows: number;
  readonly constants?: Readonly<Record<string, number>>;
  readonly conditions?: Readonly<Record<string, boolean>>;
}
const TILED: ManyKernel = { module: 'matmul', tokens: 32, rows: 64 };
const IN_LANES = [inLanes(8), inLanes(4)];

/** @param givers lanes of a subgroup that load x for all */
function inLanes(givers: number): ManyKernel {
  const constants = { GIVERS: givers, LANES: 32 };
  return {
    module: 'matmul_lanes',
    tokens: 2 * givers,
    rows: 4 * 32,
    constants,
    conditions: { GIVERS_8: givers === 8 },
  };
}

function manyKernel({ info, has }: Gpu): ManyKernel {
  const fits = ({ constants }: ManyKernel): boolean => info.subgroupMinSize >= constants!.GIVERS!;
  return (info.isFallback && has.subgroups && IN_LANES.find(fits)) || TILED;
}

/**
 * Whether so many rows of x are matrix-vector products here. A processor decodes weights once for all rows: there only a
 * single one is.
 */
export function isFew(gpu: Gpu, tokens: number): boolean {
  return tokens <= (manyKernel(gpu) === TILED ? FEW_TOKENS : 1);
}

/**
 * Records y `[M, N]` (`[M, N / 2]` of [gate; up]) from M rows of x `[.., K]`, all f32. Throws ArgumentError where shapes
 * disagree.
 */
export function product(gpu: Gpu, x: Tensor, matrix: Matrix, y: Tensor, options: ProductOptions = {}): void {
  const { norm, mode = 'plain', firstToken = 0, scale = 1, cap = 0, integers = false } = options;
  const tokens = checkProduct(x, matrix, y, mode, firstToken);
  if (mode === 'capped' && !(cap > 0)) throw new ArgumentError('cap', String(cap), 'a number above 0');
  if (tokens === 0) return;
  if (norm && !normsOnTheWay(gpu, tokens)) {
    gpu.scoped(() => {
      const normed = gpu.scratch([tokens, matrix.columns], 'f32');
      rmsNorm(gpu, x, norm.gain, normed, { eps: norm.eps, firstRow: firstToken });
      product(gpu, normed, matrix, y, { mode, scale, cap, integers });
    });
    return;
  }
  if (isGated(mode) && !gatesOnTheWay(matrix)) {
    gpu.scoped(() => {
      const pairs = gpu.scratch([tokens, matrix.rows], 'f32');
      product(gpu, x, matrix, pairs, { firstToken, integers, ...(norm && { norm }) });
      gate(gpu, pairs, y, mode);
    });
    return;
  }
  const call = { x, matrix, y, tokens, firstToken, mode, scale, cap, integers, norm };
  for (const part of matrix.parts) dispatchPart(gpu, { ...call, part });
}

function normsOnTheWay(gpu: Gpu, tokens: number): boolean {
  return isFew(gpu, tokens) && !productWay(gpu).normApart;
}

interface PartCall {
  readonly x: Tensor;
  readonly matrix: Matrix;
  readonly y: Tensor;
  readonly part: MatrixPart;
  readonly tokens: number;
  readonly firstToken: number;
  readonly mode: ProductMode;
  readonly scale: number;
  readonly cap: number;
  readonly integers: boolean;
  readonly norm: NormInput | undefined;
}

function dispatchPart(gpu: Gpu, call: PartCall): void {
  const { x, matrix, y, part, tokens, mode, integers, norm } = call;
  const weights = [part.codes, part.scales ?? null];
  if (!isFew(gpu, tokens)) {
    const kernel = manyKernel(gpu);
    gpu.dispatch({
      pipeline: gpu.pipeline(manySpec(kernel, part.layout, matrix.columns, mode)),
      bindings: [null, ...weights, x, y],
      params: productParams(call),
      workgroups: [Math.ceil(part.rows / kernel.rows), Math.ceil(tokens / kernel.tokens)],
    });
    return;
  }
  const spec = matvecSpec(gpu, part.layout, matrix.columns, tokens, { mode, integers, normed: norm !== undefined });
  gpu.dispatch({
    pipeline: gpu.pipeline(spec),
    bindings: [null, ...weights, x, y, norm?.gain ?? null],
    params: productParams(call),
    workgroups: rowGrid(gpu, part.rows / (GROUPS * ROWS)),
  });
}

function rowGrid(gpu: Gpu, wanted: number): [number, number] {
  const groups = Math.ceil(wanted);
  const x = Math.min(groups, gpu.limits.maxComputeWorkgroupsPerDimension);
  return [x, Math.ceil(groups / x)];
}

function productParams({ x, y, part, tokens, firstToken, mode, scale, cap, norm }: PartCall): Params {
  const fours = x.shape.at(-1)! / 4;
  return new ParamWriter()
    .u32(tokens)
    .u32(part.rows)
    .u32(part.chunks)
    .u32(fours)
    .u32(part.firstRow)
    .u32(y.shape.at(-1)!)
    .u32(isGated(mode) ? part.rows / 2 : 0)
    .f32(norm?.eps ?? 0)
    .u32(firstToken * fours)
    .f32(scale)
    .f32(cap)
    .done();
}

/** Rows of x that a kernel is compiled for: one, or all that are still few. The weights' way is the same. */
function tokensCompiled(tokens: number): number {
  return tokens === 1 ? 1 : FEW_TOKENS;
}

/** What a product is made for. */
export interface ProductTraits {
  readonly mode: ProductMode;
  readonly normed: boolean;
  readonly integers?: boolean;
}

/** What `product` of this matrix may be compiled for on this device, for any number of rows of x. */
export function productSpecs(gpu: Gpu, matrix: Matrix, traits: ProductTraits): PipelineSpec[] {
  const { parts, columns } = matrix;
  const mode = kernelMode(matrix, traits.mode);
  const few = [1, FEW_TOKENS].filter((tokens) => isFew(gpu, tokens));
  const normed = traits.normed && normsOnTheWay(gpu, 1);
  return [
    ...(traits.normed ? [normSpec()] : []),
    ...parts.flatMap(({ layout }) => [
      ...few.map((tokens) => matvecSpec(gpu, layout, columns, tokens, { ...traits, mode, normed })),
      manySpec(manyKernel(gpu), layout, columns, mode),
    ]),
    ...(isGated(traits.mode) && mode === 'plain' ? [gateSpec(traits.mode)] : []),
  ];
}

/** The mode that the kernels of a product run in: what is gated behind them is plain before. */
export function kernelMode(matrix: Matrix, mode: ProductMode): ProductMode {
  return isGated(mode) && !gatesOnTheWay(matrix) ? 'plain' : mode;
}

/** Codes that are integers, in blocks. */
export function takesIntegers({ scaled, levels }: Layout): boolean {
  return scaled > 0 && levels.length === 0;
}

function matvecSpec(gpu: Gpu, layout: Layout, columns: number, tokens: number, traits: ProductTraits): PipelineSpec {
  const { width } = productWay(gpu);
  const { mode, normed } = traits;
  const integers = Boolean(traits.integers) && takesIntegers(layout);
  const compiled = tokensCompiled(tokens);
  const padded = columns % layout.chunk !== 0;
  return keptSpec(`ops/matvec ${layout.name} ${compiled} ${mode} ${normed} ${padded} ${integers} ${width}`, () => ({
    label: `matvec ${layout.name}${integers ? ' integers' : ''}${normed ? ' normed' : ''}${mode === 'plain' ? '' : ` ${mode}`}`,
    module: 'ops/matvec',
    sources,
    conditions: {
      ...layoutConditions(layout, columns),
      ...modeConditions(mode),
      NORMED: normed,
      INTEGERS: integers,
      SUBGROUPS: width > 1,
    },
    constants: { ...layoutConstants(layout), TOKENS: compiled, ROWS, LANES, GROUPS, WIDTH: width },
    bindings: ['uniform', 'read', layout.scaled > 0 ? 'read' : 'none', 'read', 'write', normed ? 'read' : 'none'],
  }));
}

function manySpec(kernel: ManyKernel, layout: Layout, columns: number, mode: ProductMode): PipelineSpec {
  const { module, tokens, constants = {}, conditions = {} } = kernel;
  const padded = columns % layout.chunk !== 0;
  return keptSpec(`ops/${module} ${tokens} ${layout.name} ${mode} ${padded}`, () => ({
    label: `${module} ${layout.name}${mode === 'plain' ? '' : ` ${mode}`}`,
    module: `ops/${module}`,
    sources,
    conditions: { ...layoutConditions(layout, columns), ...modeConditions(mode), ...conditions },
    constants: { ...layoutConstants(layout), ...constants },
    bindings: ['uniform', 'read', layout.scaled > 0 ? 'read' : 'none', 'read', 'write'],
  }));
}

function modeConditions(mode: ProductMode): Record<string, boolean> {
  return { GATED: isGated(mode), GELU: mode === 'gelu', ADDED: mode === 'added', CAPPED: mode === 'capped' };
}

export function isGated(mode: ProductMode): mode is Activation {
  return mode === 'silu' || mode === 'gelu';
}

/** A kernel can gate what it finds side by side: gate and up of one type, in one binding. */
function gatesOnTheWay({ parts }: Matrix): boolean {
  return parts.length === 1;
}

function checkProduct(x: Tensor, matrix: Matrix, y: Tensor, mode: ProductMode, firstToken: number): number {
  // What gates by itself reads whole vec4s.
  if (isGated(mode) && matrix.rows % (gatesOnTheWay(matrix) ? 2 : 8) !== 0) {
    throw new ArgumentError('matrix', `${matrix.rows} rows`, 'gate and up of as many rows, a multiple of 4');
  }
  const width = isGated(mode) ? matrix.rows / 2 : matrix.rows;
  const tokens = y.size / width;
  if (x.dtype !== 'f32' || x.shape.at(-1) !== matrix.columns) {
    throw new ArgumentError('x', describe(x), `f32 with rows of ${matrix.columns}`);
  }
  const rows = x.size / matrix.columns;
  if (y.dtype !== 'f32' || y.shape.at(-1) !== width || firstToken + tokens > rows) {
    throw new ArgumentError('y', describe(y), `f32 with rows of ${width}, at most ${rows - firstToken}`);
  }
  return tokens;
}
