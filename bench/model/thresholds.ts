// Thresholds: `p99 > 5ms` is parsed before anything is measured, and afterwards compared with every
// cell of the servers under test. A figure that is missing is a failure, never a pass. Pure.

import { type MetricName, metrics } from "./metrics.ts";
import type { Cell } from "./results.ts";

type Operator = ">" | ">=" | "<" | "<=";

export interface Threshold {
  /** As it was written. */
  readonly text: string;
  /** Null for the number of wrong, missing or refused answers. */
  readonly metric: MetricName | null;
  readonly comparison: Operator;
  /** In the metric's unit. */
  readonly value: number;
}

/** Short names, for the figures that are asked for most. */
const shortNames: Readonly<Record<string, MetricName>> = {
  p50: "latencyP50",
  p90: "latencyP90",
  p99: "latencyP99",
  p999: "latencyP999",
  cpuPerMessage: "serverCpuPerMessage",
  cpuPerRequest: "serverCpuPerMessage",
  cpu: "serverCpuPercent",
  ratio: "ratioToReference",
  rps: "throughput",
};

const times = { ns: 1e-3, us: 1, µs: 1, ms: 1e3, s: 1e6 };
const sizes = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
const counts = { k: 1e3, M: 1e6, "/s": 1 };
/** What a value may end with, by the unit of its metric; without an ending it is in that unit. */
const endings: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  us: times,
  ms: { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1e3 },
  percent: { "%": 1 },
  bytes: sizes,
  "1/s": counts,
  ratio: { x: 1 },
};

const form = /^\s*([A-Za-z]\w*)\s*(>=|<=|>|<)\s*(\d+\.?\d*|\.\d+)\s*([A-Za-zµ%/]*)\s*$/;

/** @returns the threshold, or in words why the expression is not valid. */
export function readThreshold(text: string): Threshold | string {
  const [, name = "", comparison = "", digits = "", ending = ""] = form.exec(text) ?? [];
  if (name === "") return `"${text}" is not of the form 'p99 > 5ms'`;
  const metric = name === "errors" ? null : metricOf(name);
  if (metric === undefined) {
    const names = ["errors", ...Object.keys(shortNames), ...Object.keys(metrics)];
    return `"${text}": there is no figure "${name}"; one of: ${names.join(", ")}`;
  }
  const units = metric === null ? {} : (endings[metrics[metric].unit] ?? {});
  const factor = ending === "" ? 1 : Object.hasOwn(units, ending) ? units[ending] : undefined;
  if (factor === undefined) {
    const known = Object.keys(units).join(", ");
    const instead = known === "" ? "no unit" : known;
    return `"${text}": ${name} cannot end with "${ending}"; use ${instead}`;
  }
  const value = Number(digits) * factor;
  return { text: text.trim(), metric, comparison: comparison as Operator, value };
}

function metricOf(name: string): MetricName | undefined {
  if (Object.hasOwn(shortNames, name)) return shortNames[name];
  return Object.hasOwn(metrics, name) ? (name as MetricName) : undefined;
}

/** A line per cell for which the threshold holds, or that has no such figure; else empty. */
export function failuresOf(threshold: Threshold, cells: readonly Cell[]): string[] {
  return cells.flatMap((cell) => {
    const where = placeOf(cell);
    const figure = figureOf(threshold, cell);
    if (figure === null) return [`${threshold.text}: ${where}: not measured`];
    if (!exceeds(figure, threshold)) return [];
    return [`${threshold.text}: ${where}: ${shown(figure)}${unitOf(threshold)}`];
  });
}

/** "mine, slow-readers, 100 connections, 64-byte messages, undisturbed". */
function placeOf({ contender, workload, connections, payloadBytes, variant }: Cell): string {
  return [
    ...[contender, workload, `${shown(connections)} connections`],
    ...(payloadBytes === 0 ? [] : [`${shown(payloadBytes)}-byte messages`]),
    ...(variant === undefined ? [] : [variant]),
  ].join(", ");
}

function figureOf({ metric }: Threshold, { metrics: figures, mismatches, status, blocks }: Cell) {
  if (metric !== null) return figures[metric]?.median ?? null;
  if (status === "failed") return Math.max(1, mismatches);
  return blocks === 0 ? null : mismatches;
}

function exceeds(figure: number, { comparison, value }: Threshold): boolean {
  switch (comparison) {
    case ">":
      return figure > value;
    case ">=":
      return figure >= value;
    case "<":
      return figure < value;
    case "<=":
      return figure <= value;
  }
}

/** Enough digits to tell the figure from its threshold, and no exponent. */
function shown(figure: number): string {
  return figure.toLocaleString("en-US", { maximumSignificantDigits: 6 });
}

function unitOf({ metric }: Threshold): string {
  const unit = metric === null ? "" : metrics[metric].unit;
  const words: Readonly<Record<string, string>> = { us: " µs", percent: " %", bytes: " bytes" };
  return words[unit] ?? (unit === "1" || unit === "" ? "" : ` ${unit}`);
}
