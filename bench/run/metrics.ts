// The figures of a cell, from its blocks that are not discarded, by the rules of the table of
// metrics.

import type { MemorySample } from "../host/memory.ts";
import type { Window } from "../model/events.ts";
import { type MetricName, metrics, type Sum } from "../model/metrics.ts";
import type { Metric } from "../model/results.ts";
import { supportedQuantile } from "../statistics/histogram.ts";
import { interquartileMean } from "../statistics/quantile.ts";
import { deriveSeed } from "../statistics/random.ts";
import type { Pair } from "../statistics/ratio.ts";
import { emptyMetric, summarize } from "../statistics/summary.ts";
import { theilSen } from "../statistics/theil-sen.ts";
import { BlockData } from "./block-data.ts";
import {
  callsPerMessage,
  eventsPerWait,
  modePerMessage,
  switchesPerMessage,
} from "./own-metrics.ts";
import type { Round } from "./round.ts";
import { divide, secondsOf, total } from "./window-sums.ts";

const latencyFields = {
  due: "latency",
  sent: "latencyUncorrected",
  delay: "senderDelay",
} as const;

/** One metric of one block; null if the platform does not give it, or for lack of samples. */
export function figureOf(name: MetricName, block: BlockData): number | null {
  const { unit, sum } = metrics[name];
  const value = sumOf(name, sum, block);
  // What a program reports is in the metric's unit; everything else in nanoseconds.
  return value !== null && unit === "us" && sum.of !== "program" ? value / 1000 : value;
}

/** The metrics named; those that are not available in any block have null figures. */
export function metricsOf(
  names: readonly MetricName[],
  blocks: readonly BlockData[],
  seed: number,
): Partial<Record<MetricName, Metric>> {
  const options = { seed: deriveSeed(seed, "bootstrap") };
  const found: Partial<Record<MetricName, Metric>> = {};
  for (const name of names) {
    const { unit, sum } = metrics[name];
    if (sum.of === "pairs" || sum.of === "bound") continue;
    if (sum.of === "mode") {
      const pooled = modePerMessage(blocks, sum.mode);
      const figure = pooled === null ? null : pooled / 1000;
      found[name] = { ...emptyMetric(unit), median: figure };
      continue;
    }
    const values = blocks.map((block) => figureOf(name, block)).filter((value) => value !== null);
    found[name] = summarize(unit, values, options);
  }
  return found;
}

function sumOf(name: MetricName, sum: Sum, block: BlockData): number | null {
  const { round, windows } = block;
  switch (sum.of) {
    case "windows":
      return perWindows(windows, sum);
    case "latency":
      return supportedQuantile(block.latency(latencyFields[sum.from]), sum.quantile);
    case "turn":
      return round.turn?.[sum.field] ?? null;
    case "memory":
      return memoryOf(round, sum);
    case "fairness":
      return round.result?.fairness?.[sum.field] ?? null;
    case "in-flight":
      return divide(total(windows, "inFlightNs"), total(windows, "durationNs"));
    case "calls":
      return callsPerMessage(block, sum.field);
    case "switches":
      return switchesPerMessage(block, sum.kinds);
    case "mode":
      return modePerMessage([block], sum.mode);
    case "events-per-wait":
      return eventsPerWait(block);
    case "accepts":
      return acceptsPerSecond(block);
    case "program":
      return round.delivered?.figures[name] ?? null;
    case "pairs":
    case "bound":
      return null;
  }
}

/** Two figures to compare; none if one is missing or 0. Interleaved, the ratio is per pass. */
export function pairOf(name: MetricName, own: BlockData, other: BlockData | null): Pair[] {
  return pairOfLoads(name, own, other).map(({ value, reference }) => {
    const byTurn = other === null ? null : ratioOverTurns(name, own, other);
    return { value: byTurn === null ? value : byTurn * reference, reference };
  });
}

/** The pair of two loads of one contender, whose windows are not paired. */
export function pairOfLoads(name: MetricName, own: BlockData, other: BlockData | null): Pair[] {
  const value = figureOf(name, own);
  const reference = other === null ? null : figureOf(name, other);
  if (!value || !reference || value < 0 || reference < 0) return [];
  return [{ value, reference }];
}

/**
 * Null unless servers took turns, and some turns have the figure. Windows of 10 ms one by one would
 * not do: without the highest quarter, those with a garbage collection, the ratio of node:net was
 * 6 % lower.
 */
function ratioOverTurns(name: MetricName, own: BlockData, other: BlockData): number | null {
  const { windowsPerTurn } = own.round;
  if (metrics[name].sum.of !== "windows" || windowsPerTurn === null) return null;
  const turnOf = ({ index }: Window) => Math.floor(index / windowsPerTurn);
  const logRatios = [...new Set(own.windows.map(turnOf))].flatMap((turn) => {
    const [value, reference] = [own, other].map(({ round, windows }) =>
      figureOf(
        name,
        new BlockData(
          round,
          windows.filter((window) => turnOf(window) === turn),
        ),
      ),
    );
    return value && reference && value > 0 && reference > 0 ? [Math.log(value / reference)] : [];
  });
  return logRatios.length === 0 ? null : Math.exp(interquartileMean(logRatios));
}

type SumOf<K extends Sum["of"]> = Extract<Sum, { readonly of: K }>;

function perWindows(windows: readonly Window[], { field, per }: SumOf<"windows">): number | null {
  const sum = total(windows, field);
  if (per === "message") return divide(sum, total(windows, "completedMessages"));
  if (per === "second") return divide(sum, secondsOf(windows));
  if (per === "cpu-second") return divide(sum, (total(windows, "serverCpuNs") ?? 0) / 1e9);
  const share = divide(sum, total(windows, "durationNs"));
  return share === null ? null : share * 100;
}

/** A churn's cycles a second; else how fast the connections were established at the start. */
function acceptsPerSecond({ round, windows }: BlockData): number | null {
  if (round.load.mode === "churn") {
    return divide(total(windows, "completedMessages"), secondsOf(windows));
  }
  return round.connectMs === null ? null : divide(round.load.connections, round.connectMs / 1000);
}

/** With all connections open; what the run added; or what a connection adds: the slope. */
function memoryOf(round: Round, { stage, sample, per }: SumOf<"memory">): number | null {
  if (per === "growth") return grown(round, sample);
  if (per === "run") return round.memory.at(-1)?.[stage] ?? round.memoryDuring?.[sample] ?? null;
  if (round.memory.length === 0) return divide(grown(round, sample), round.load.connections);
  const points = round.memory.flatMap((line) => {
    const bytes = line[stage];
    return bytes === null ? [] : [{ x: line.connections, y: bytes }];
  });
  return theilSen(points)?.slope ?? null;
}

/** The load generator is not there before. */
function grown({ memoryBefore, memoryDuring }: Round, field: keyof MemorySample) {
  const after = memoryDuring?.[field] ?? null;
  const before = field === "clientBytes" ? 0 : (memoryBefore?.[field] ?? null);
  return after === null || before === null ? null : after - before;
}
