/** The figures of the attention bench as data: what JSON holds and the table shows. */
import type { AdapterSummary } from '$gpu/device';
import type { Product } from '$lib/engine/bench/product';
import { ratioOf, type Figure, type Ratio } from '$lib/engine/bench/statistics';
import type { Clock } from '$lib/engine/bench/stopwatch';
import { cacheBytesOf, flopsOf, type Case } from '$lib/engine/bench/attention/cases';
import type { Role } from '$lib/engine/bench/attention/kernels';

export type RowRole = Role | 'onnx kernels' | 'onnx operator';

/** One kernel on one case. */
export interface Row extends Case {
  readonly kernel: string;
  readonly role: RowRole;
  /** Milliseconds of a call. */
  readonly ms: Figure;
  readonly clock: Clock;
  /** The same by the wall clock, replays back to back; ours alone. */
  readonly wallMs?: Figure;
  readonly gflops: number;
  /** Of the best product of our own in this dtype; prefill. */
  readonly ofProduct?: number;
  /** K and V once, by the time; decode. */
  readonly gigabytesPerSecond?: number;
  /** Most bytes in use beyond q, k, v and out; ours alone. */
  readonly extraBytes?: number;
  /** Largest error against the float64 reference, in the rows that were compared; NaN where some are no numbers. */
  readonly error: number;
  /** The peer computes wrongly here. It is timed all the same: it is what people would run. */
  readonly wrong?: boolean;
  /** standardAttention's time by this one's: above 1 this one is faster. */
  readonly againstStandard?: Ratio;
  /** GPU time of ONNX Runtime's attention kernels by this one's. */
  readonly againstOnnxKernels?: Ratio;
  /** Wall time of ONNX Runtime's operator by this one's. */
  readonly againstOnnxOperator?: Ratio;
  /** How this was measured, where that has to be known. */
  readonly detail?: unknown;
}

export type Measured = Pick<
  Row,
  'kernel' | 'role' | 'ms' | 'clock' | 'wallMs' | 'error' | 'wrong' | 'extraBytes' | 'detail'
>;

/** The rows of one case, with what follows from their times. */
export function rowsOf(one: Case, measured: readonly Measured[], product: Product | undefined): Row[] {
  return measured.map((each) => {
    const gflops = flopsOf(one) / each.ms.median / 1e6;
    const rate =
      one.schedule === 'decode'
        ? { gigabytesPerSecond: cacheBytesOf(one) / each.ms.median / 1e6 }
        : product && { ofProduct: gflops / product.gflops };
    return { ...one, ...each, gflops, ...rate, ...comparisons(each, measured) };
  });
}

/** Against the others, each by a clock that both sides were timed by. */
function comparisons(each: Measured, all: readonly Measured[]): Partial<Row> {
  if (each.role === 'onnx kernels' || each.role === 'onnx operator') return {};
  const other = (role: RowRole) => all.find((row) => row.role === role && row !== each);
  const [standard, kernels, operator] = [other('standard'), other('onnx kernels'), other('onnx operator')];
  return {
    ...(standard ? { againstStandard: ratioOf(standard.ms, each.ms) } : {}),
    ...(kernels && each.clock === 'gpu' ? { againstOnnxKernels: ratioOf(kernels.ms, each.ms) } : {}),
    ...(operator && each.wallMs ? { againstOnnxOperator: ratioOf(operator.ms, each.wallMs) } : {}),
  };
}

/** Something that was not run, or has no time. */
export interface Missing {
  readonly what: string;
  readonly why: string;
}

export interface AttentionFigures {
  readonly adapter: AdapterSummary;
  readonly clock: Clock;
  readonly clockReason: string;
  readonly products: readonly Product[];
  readonly rows: readonly Row[];
  readonly missing: readonly Missing[];
  readonly onnxRuntime: string;
  readonly seconds: number;
}
