// A histogram of latencies with a bounded relative error: HdrHistogram's buckets
// (hdrhistogram.org). Each doubling of the value is cut into equally many linear steps, enough for
// the promised number of significant digits. Windows are merged, never averaged.

/** What decides the buckets; only histograms whose steps agree can be merged. */
interface Geometry {
  /** The smallest difference to be resolved, in the unit of the values; 1 for nanoseconds. */
  readonly lowest: number;
  /** The largest value that may be recorded. */
  readonly highest: number;
  /** Decimal digits kept of every value, 0 to 5. */
  readonly digits: number;
}

/** Nanoseconds up to an hour at three digits: what the load generator records. */
export const latencyGeometry: Geometry = { lowest: 1, highest: 3_600_000_000_000, digits: 3 };

export class Histogram {
  readonly geometry: Geometry;
  readonly #steps: Steps;
  #counts: Float64Array<ArrayBuffer> = new Float64Array(0);
  #total = 0;

  /** @throws {RangeError} on a geometry that HdrHistogram does not know. */
  constructor(geometry: Geometry = latencyGeometry) {
    this.geometry = geometry;
    this.#steps = stepsOf(geometry);
  }

  /** How many values were recorded. */
  get count(): number {
    return this.#total;
  }

  /** The counts of the buckets from the smallest value up to the last one that is not empty. */
  get counts(): readonly number[] {
    const last = this.#counts.findLastIndex((count) => count > 0);
    return Array.from(this.#counts.subarray(0, last + 1));
  }

  /** The largest recorded value, to the histogram's precision; null without values. */
  get max(): number | null {
    return this.#total === 0 ? null : this.quantile(1);
  }

  /** The mean, each value counted as the middle of its bucket; null without values. */
  get mean(): number | null {
    if (this.#total === 0) return null;
    let sum = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      const count = this.#counts[index] as number;
      if (count > 0) sum += count * this.#middle(index);
    }
    return sum / this.#total;
  }

  /** @throws {RangeError} on a negative or infinite value, or one above the geometry's highest. */
  record(value: number, count = 1): void {
    if (!(value >= 0 && value <= this.geometry.highest)) {
      throw new RangeError(`value ${value} is not in 0 … ${this.geometry.highest}`);
    }
    this.addAt(bucketOf(this.#steps, value), count);
  }

  /** Adds to a bucket by its index in `counts`. @throws {RangeError} past the last bucket. */
  addAt(index: number, count: number): void {
    if (!(index >= 0 && index < this.#steps.buckets)) {
      throw new RangeError(
        `bucket ${index} is not among the ${this.#steps.buckets} of this histogram`,
      );
    }
    if (index >= this.#counts.length) this.#grow(index + 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + count;
    this.#total += count;
  }

  /** Adds every value of another one. @throws {RangeError} if its buckets are cut differently. */
  add(other: Histogram): void {
    const { lowest, digits } = other.geometry;
    if (lowest !== this.geometry.lowest || digits !== this.geometry.digits) {
      throw new RangeError("histograms of different precision cannot be merged");
    }
    for (let index = 0; index < other.#counts.length; index++) {
      const count = other.#counts[index] as number;
      if (count > 0) this.addAt(index, count);
    }
  }

  /**
   * The smallest value that at least a share q of the recorded values does not exceed, rounded up
   * to the end of its bucket, as HdrHistogram's getValueAtPercentile does; null without values.
   * @throws {RangeError} on a q outside [0, 1].
   */
  quantile(q: number): number | null {
    if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile ${q} is not in [0, 1]`);
    // 0.07 × 100 is 7.000000000000001 in binary: without the correction the rank would be one too
    // high.
    const rank = Math.max(1, Math.ceil(q * this.#total * (1 - Number.EPSILON)));
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index] as number;
      if (seen >= rank) return smallestOf(this.#steps, index) + widthOf(this.#steps, index) - 1;
    }
    return null;
  }

  #middle(index: number): number {
    return smallestOf(this.#steps, index) + Math.floor(widthOf(this.#steps, index) / 2);
  }

  #grow(length: number): void {
    const grown = new Float64Array(
      Math.min(this.#steps.buckets, Math.max(length, 1024, this.#counts.length * 2)),
    );
    grown.set(this.#counts);
    this.#counts = grown;
  }
}

/** All values of several histograms in one. @throws {RangeError} as Histogram.add does. */
export function merge(histograms: Iterable<Histogram>): Histogram {
  let merged: Histogram | null = null;
  for (const histogram of histograms) {
    merged ??= new Histogram(histogram.geometry);
    merged.add(histogram);
  }
  return merged ?? new Histogram();
}

/** Values that a quantile needs beyond it: p99.9 needs 10,000 and p99.99 100,000. */
const samplesBeyond = 10;

/** The quantile; null from p99.9 on if there are too few values to know it. */
export function supportedQuantile(histogram: Histogram, q: number): number | null {
  const needed = q < 0.999 || q === 1 ? 1 : Math.round(samplesBeyond / (1 - q));
  return histogram.count < needed ? null : histogram.quantile(q);
}

/** A bucket is 2^(unit) wide at first, and twice as wide with each further half-row. */
interface Steps {
  readonly unitMagnitude: number;
  readonly halfMagnitude: number;
  readonly buckets: number;
}

function stepsOf({ lowest, highest, digits }: Geometry): Steps {
  if (!Number.isInteger(digits) || digits < 0 || digits > 5) {
    throw new RangeError(`${digits} significant digits; HdrHistogram knows 0 to 5`);
  }
  if (!(lowest >= 1 && highest >= 2 * lowest)) {
    throw new RangeError(`no histogram spans ${lowest} … ${highest}`);
  }
  const unitMagnitude = floorLog2(lowest);
  const halfMagnitude = Math.max(Math.ceil(Math.log2(2 * 10 ** digits)), 1) - 1;
  let rows = 1;
  for (let reach = 2 ** (halfMagnitude + 1 + unitMagnitude); reach <= highest; reach *= 2) rows++;
  return { unitMagnitude, halfMagnitude, buckets: (rows + 1) * 2 ** halfMagnitude };
}

function bucketOf({ unitMagnitude, halfMagnitude }: Steps, value: number): number {
  const units = Math.floor(value / 2 ** unitMagnitude);
  const half = 2 ** halfMagnitude;
  if (units < 2 * half) return units;
  const row = floorLog2(units) - halfMagnitude;
  return row * half + Math.floor(units / 2 ** row);
}

/** The smallest value of a bucket. */
function smallestOf({ unitMagnitude, halfMagnitude }: Steps, index: number): number {
  const half = 2 ** halfMagnitude;
  const row = Math.max(0, Math.floor(index / half) - 1);
  return (index - row * half) * 2 ** (row + unitMagnitude);
}

function widthOf({ unitMagnitude, halfMagnitude }: Steps, index: number): number {
  return 2 ** (Math.max(0, Math.floor(index / 2 ** halfMagnitude) - 1) + unitMagnitude);
}

/** Exact, where Math.log2 rounds 2^53 − 1 up to 53. */
function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
}
