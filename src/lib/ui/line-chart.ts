/** Draws lines over two logarithmic axes with uPlot, which is fetched with the first chart. */
import type uPlot from 'uplot';

export interface Line {
  readonly name: string;
  /** Told apart without colour. */
  readonly dashed?: boolean;
  /** y by x. */
  readonly points: ReadonlyMap<number, number>;
}

export interface ChartLook {
  /** Of each line, in the order of the lines. */
  readonly colours: readonly string[];
  readonly text: string;
  readonly grid: string;
  readonly font: string;
}

export interface ChartText {
  readonly x: string;
  readonly y: string;
  /** For numbers. */
  readonly language: string;
}

const HEIGHT = 260;

/** Puts a chart into `element`, as wide as that is. */
export async function drawLines(
  element: HTMLElement,
  lines: readonly Line[],
  look: ChartLook,
  text: ChartText,
): Promise<uPlot> {
  const [{ default: Chart }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]);
  return new Chart(optionsFor(element.clientWidth, lines, look, text), dataOf(lines), element);
}

/** uPlot wants all x once, and of each line a value or null for each of them. */
export function dataOf(lines: readonly Line[]): uPlot.AlignedData {
  const xs = [...new Set(lines.flatMap(({ points }) => [...points.keys()]))].sort((a, b) => a - b);
  return [xs, ...lines.map(({ points }) => xs.map((x) => points.get(x) ?? null))];
}

function optionsFor(width: number, lines: readonly Line[], look: ChartLook, text: ChartText): uPlot.Options {
  const number = (value: number): string => value.toLocaleString(text.language, { maximumSignificantDigits: 3 });
  const axis: uPlot.Axis = {
    stroke: look.text,
    font: `12px ${look.font}`,
    labelFont: `12px ${look.font}`,
    labelSize: 22,
    grid: { stroke: look.grid, width: 1 },
    ticks: { show: false },
    gap: 8,
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, distr: 3, log: 2 }, y: { distr: 3, log: 10 } },
    axes: [
      { ...axis, label: text.x, size: 36, values: labels(short) },
      { ...axis, label: text.y, size: 56, values: labels(number), grid: { ...axis.grid, filter: decades } },
    ],
    series: [
      {},
      ...lines.map(({ name, dashed = false }, index): uPlot.Series => {
        const stroke = look.colours[index]!;
        return {
          label: name,
          stroke,
          width: 2,
          ...(dashed && { dash: [6, 5] }),
          points: { show: true, size: 7, stroke, fill: stroke },
        };
      }),
    ],
  };
}

/** Labels of an axis; uPlot gives null where there is no room for one. */
function labels(write: (value: number) => string): uPlot.Axis.DynamicValues {
  return (_, splits) => splits.map((value: number | null) => (value === null ? '' : write(value)));
}

/** Lengths are powers of two: 512, 1K, 16K. */
function short(value: number): string {
  return value >= 1024 ? `${value / 1024}K` : String(value);
}

/** Of a logarithmic axis, the powers of ten alone. */
function decades(_: uPlot, splits: number[]): (number | null)[] {
  return splits.map((value) => (Number.isInteger(Math.log10(value)) ? value : null));
}
