// From one value per block to a figure of results.json: the median and its interval.

import type { Metric } from "../model/results.ts";
import { type BootstrapOptions, bootstrapMedian } from "./bootstrap.ts";
import { median } from "./quantile.ts";
import { type Pair, type RatioOptions, ratioToReference } from "./ratio.ts";

/** Median and interval over blocks, null without any. The unit is the values', such as "us". */
export function summarize(
  unit: string,
  blocks: readonly number[],
  options: BootstrapOptions,
): Metric {
  if (blocks.length === 0) return emptyMetric(unit);
  const interval = bootstrapMedian(blocks, options);
  return {
    unit,
    median: median(blocks),
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    blocks: [...blocks],
  };
}

/** The metric `ratioToReference` of pairs that were measured in the same block. */
export function summarizeRatio(pairs: readonly Pair[], options: RatioOptions): Metric {
  const ratio = ratioToReference(pairs, options);
  if (ratio === null) return emptyMetric("ratio");
  return {
    unit: "ratio",
    median: ratio.median,
    low: ratio.low,
    high: ratio.high,
    blocks: ratio.blocks,
    ...(options.common === undefined ? {} : { interval: "student" }),
  };
}

/** A metric that was looked for and not found, such as p99.9 with too few samples. */
export function emptyMetric(unit: string): Metric {
  return { unit, median: null, low: null, high: null, blocks: [] };
}
