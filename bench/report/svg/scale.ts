// Scales and ticks: from a figure to a pixel, linear or logarithmic. Pure arithmetic.

export interface Scale {
  readonly kind: "log" | "linear";
  readonly low: number;
  readonly high: number;
  readonly start: number;
  readonly end: number;
}

interface ScaleOptions {
  readonly kind: "log" | "linear";
  /** What must be within it; values that the scale cannot show are left out. */
  readonly values: readonly number[];
  /** Pixels, from the low end to the high end; may run downwards. */
  readonly start: number;
  readonly end: number;
  /** Values are kept from the ends by this share of the domain; default: 0.04. */
  readonly padding?: number;
}

/** A scale that holds all values; around 1 if there are none. A linear one holds 0, too. */
export function makeScale({ kind, values, start, end, padding = 0.04 }: ScaleOptions): Scale {
  const shown = values.filter((value) => Number.isFinite(value) && (kind !== "log" || value > 0));
  const low = shown.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = shown.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (kind === "linear") {
    const bottom = Math.min(low, 0);
    const top = Math.max(high, 0) || (bottom < 0 ? 0 : 1);
    const margin = (top - bottom) * padding;
    // Nothing is drawn beyond zero.
    return {
      ...{ kind, start, end },
      low: bottom < 0 ? bottom - margin : 0,
      high: top > 0 ? top + margin : 0,
    };
  }
  if (shown.length === 0) return { kind, low: 0.5, high: 2, start, end };
  // A single value gets a third of an octave on either side.
  const span = Math.max(Math.log(high / low), 0.2);
  const margin = span * padding + (span - Math.log(high / low)) / 2;
  return { kind, low: low * Math.exp(-margin), high: high * Math.exp(margin), start, end };
}

/** The pixel of a value; what lies outside is put at the end. */
export function position(scale: Scale, value: number): number {
  const share =
    scale.kind === "log"
      ? Math.log(Math.max(value, Number.MIN_VALUE) / scale.low) / Math.log(scale.high / scale.low)
      : (value - scale.low) / (scale.high - scale.low);
  const clamped = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  return scale.start + clamped * (scale.end - scale.start);
}

/** Round values, `gap` pixels apart or more. `unit` is what round means: 1024 for KiB. */
export function ticks(scale: Scale, gap: number, unit = 1): number[] {
  if (scale.kind === "linear") return linearTicks(scale, gap, unit);
  for (const mantissas of densities) {
    const found = logTicks(scale, mantissas);
    if (found.length >= 3 && areApart(scale, found, gap)) return found;
  }
  const sparse = everyDecades(scale, gap);
  if (sparse.length >= 3) return sparse;
  const even = linearTicks(scale, gap, 1);
  return areApart(scale, even, gap) ? even : ends(even);
}

/** From the densest; within a decade. */
const densities: readonly (readonly number[])[] = [
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8],
  [1, 1.5, 2, 3, 5, 7],
  [1, 2, 5],
  [1, 3],
  [1],
];

function logTicks(scale: Scale, mantissas: readonly number[]): number[] {
  const first = Math.floor(Math.log10(scale.low));
  const last = Math.ceil(Math.log10(scale.high));
  const found: number[] = [];
  for (let decade = first; decade <= last; decade++) {
    for (const mantissa of mantissas) found.push(Number(`${mantissa}e${decade}`));
  }
  return found.filter((value) => within(scale, value));
}

/** Every second, third … decade, where even one a decade is too dense. */
function everyDecades(scale: Scale, gap: number): number[] {
  const decades = logTicks(scale, [1]);
  for (let step = 2; step < decades.length; step++) {
    const found = decades.filter((_, index) => index % step === 0);
    if (areApart(scale, found, gap)) return found;
  }
  return [];
}

function linearTicks(scale: Scale, gap: number, unit: number): number[] {
  const pixels = Math.abs(scale.end - scale.start);
  const most = Math.max(2, Math.floor(pixels / gap));
  const rough = (scale.high - scale.low) / unit / most;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10) * magnitude;
  const first = Math.ceil(scale.low / unit / step - 1e-9);
  const found: number[] = [];
  for (let index = 0; index <= most + 1; index++) {
    // Not by adding up, or 0.1 three times would print as 0.30000000000000004.
    const value = Number(((first + index) * step).toPrecision(12)) * unit;
    if (within(scale, value)) found.push(value);
  }
  return found;
}

export function within(scale: Scale, value: number): boolean {
  const slack = 1e-9 * Math.abs(scale.high - scale.low);
  return value >= scale.low - slack && value <= scale.high + slack;
}

/** Whether neighbours stand so many pixels apart, at least. */
export function areApart(scale: Scale, values: readonly number[], gap: number): boolean {
  return values.every((value, index) => {
    const before = values[index - 1];
    if (before === undefined) return true;
    return Math.abs(position(scale, value) - position(scale, before)) >= gap;
  });
}

function ends(values: readonly number[]): number[] {
  const [first] = values;
  const last = values.at(-1);
  return first === undefined || last === undefined || first === last ? [...values] : [first, last];
}
