import { makeSvg } from './element.ts';

export const SAMPLES = 60;
const WIDTH = 120;
const HEIGHT = 30;

/**
 * Values stacked upon each other as areas, the newest at the right edge; null is a hole.
 * @param series bottom first, each oldest first, all of one length
 * @returns for each series the path of its area, in a box of 120 x 30
 */
export function stackedAreas(series: readonly (readonly number[])[], top: number): string[] {
  const length = series[0]?.length ?? 0;
  let floor = new Array<number>(length).fill(0);
  return series.map((values) => {
    const ceiling = values.map((value, index) => value + (floor[index] ?? 0));
    const upper = points(ceiling, top);
    const lower = points(floor, top).reverse();
    floor = ceiling;
    return length < 2 ? '' : `M${[...upper, ...lower].join('L')}Z`;
  });
}

/** The path of one line in the same box; holes interrupt it. */
export function line(values: readonly (number | null)[], top: number): string {
  const parts: string[] = [];
  let drawing = false;
  values.forEach((value, index) => {
    if (value !== null) parts.push(`${drawing ? 'L' : 'M'}${point(value, index, values.length, top)}`);
    drawing = value !== null;
  });
  return parts.join('');
}

const STEPS = [1, 1.5, 2, 3, 4, 6, 8, 10];

/** A scale that does not jump with each value: the next round number above it. */
export function niceTop(highest: number, least: number): number {
  const value = Math.max(highest, least);
  const power = 10 ** Math.floor(Math.log10(value));
  return STEPS.map((step) => step * power).find((step) => step >= value * 0.999) ?? value;
}

function points(values: readonly number[], top: number): string[] {
  return values.map((value, index) => point(value, index, values.length, top));
}

function point(value: number, index: number, length: number, top: number): string {
  const x = WIDTH - ((length - 1 - index) * WIDTH) / (SAMPLES - 1);
  const y = HEIGHT - 1 - (Math.min(value, top) / top) * (HEIGHT - 2);
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

/** A small graph of the last samples. For eyes only: the figure beside it says the newest value. */
export class Sparkline {
  readonly element: SVGElement;
  readonly #paths: SVGElement[] = [];
  readonly #least: number;

  /** @param kind class of the drawing @param least the scale never shrinks below */
  constructor(kind: 'rate' | 'loss' | 'trip', least: number) {
    this.#least = least;
    this.element = makeSvg(
      'svg',
      {
        class: `spark ${kind}`,
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: 'none',
        'aria-hidden': 'true',
      },
      makeSvg('path', { class: 'base', d: `M0 ${HEIGHT - 1}H${WIDTH}` }),
    );
  }

  drawStack(series: readonly (readonly number[])[]): void {
    const totals = (series[0] ?? []).map((_, index) =>
      series.reduce((total, values) => total + (values[index] ?? 0), 0),
    );
    const areas = stackedAreas(series, niceTop(Math.max(0, ...totals), this.#least));
    // One band is the whole stream; of several the lowest is sound, then come the layers.
    const layer = (index: number): number => (areas.length === 1 ? 2 : Math.min(index, 3));
    this.#show(areas.map((d, index) => ({ d, kind: `area layer-${layer(index)}` })));
  }

  drawLine(values: readonly (number | null)[]): void {
    const known = values.filter((value) => value !== null);
    const top = niceTop(Math.max(0, ...known), this.#least);
    const solid = values.map((value) => value ?? 0);
    const [area = ''] = stackedAreas([solid], top);
    this.#show([
      { d: area, kind: 'area' },
      { d: line(values, top), kind: 'line' },
    ]);
  }

  #show(shapes: readonly { d: string; kind: string }[]): void {
    while (this.#paths.length > shapes.length) this.#paths.pop()?.remove();
    shapes.forEach(({ d, kind }, index) => {
      const path = this.#paths[index] ?? this.#addPath(index);
      path.setAttribute('d', d);
      path.setAttribute('class', kind);
    });
  }

  #addPath(index: number): SVGElement {
    const path = makeSvg('path');
    this.#paths[index] = path;
    this.element.append(path);
    return path;
  }
}
