// Where a figure changed permanently over many runs (E-divisive). A trend never gates. Pure.

import { changePoints } from "../statistics/e-divisive.ts";
import { median } from "../statistics/quantile.ts";
import { deriveSeed } from "../statistics/random.ts";
import type { HistoryRecord } from "./history.ts";

export interface TrendPoint {
  readonly at: string;
  readonly commit: string | null;
  /** The median of the run's blocks, and the least and most of them. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface TrendChange {
  /** Of the first point at the new level. */
  readonly index: number;
  readonly pValue: number;
  readonly before: number;
  readonly after: number;
}

/** One metric on one machine in one profile, in time's order. */
export interface Trend {
  readonly fingerprint: string;
  readonly profile: string;
  readonly name: string;
  readonly metric: string;
  readonly points: readonly TrendPoint[];
  readonly changes: readonly TrendChange[];
}

/** Only runs of equal fingerprints and profiles are in one series. */
export function trendsOf(records: readonly HistoryRecord[], seed = 1): Trend[] {
  const trends = new Map<string, Omit<Trend, "changes" | "points"> & { points: TrendPoint[] }>();
  const ordered = [...records].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  for (const { fingerprint, profile, at, commit, series } of ordered) {
    for (const { name, metric, blocks } of series) {
      const key = JSON.stringify([fingerprint, profile, name]);
      const trend = trends.get(key) ?? { fingerprint, profile, name, metric, points: [] };
      const [low, high] = [Math.min(...blocks), Math.max(...blocks)];
      trend.points.push({ at, commit, value: median(blocks), low, high });
      trends.set(key, trend);
    }
  }
  return [...trends.values()].map((trend) => ({
    ...trend,
    changes: changePoints(
      trend.points.map(({ value }) => value),
      { seed: deriveSeed(seed, `trend ${trend.name}`) },
    ),
  }));
}
