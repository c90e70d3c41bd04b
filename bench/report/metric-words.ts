// The words of metrics and workloads from their tables, and what follows from a unit: a metric or a
// workload of a later version has words too, from its name and unit.

import { factTitles, metricRow } from "../model/metrics.ts";
import type { Cell } from "../model/results.ts";
import { workloadRow } from "../model/workloads/catalogue.ts";
import type { Workload } from "../model/workloads/workload.ts";
import {
  bytes,
  count,
  duration,
  type Format,
  formatOf,
  percent,
  plainNumber,
  ratio,
  rounded,
  significant,
  words,
} from "./format.ts";

export interface MetricWords {
  /** As a heading: "server CPU per message". */
  readonly title: string;
  /** With the value already scaled to `figure()`'s unit: times in microseconds. */
  readonly format: Format;
  readonly axis: "log" | "linear";
  /** What round is on an axis. */
  readonly unit: number;
}

export function metricWords(name: string, unit: string): MetricWords {
  const { axis, round, format } = units[unit] ?? anyUnit;
  const row = metricRow(name);
  return { title: row?.title ?? words(name), format, axis: row?.axis ?? axis, unit: round };
}

/** "50 members"; connections if the workload has no other word. */
export function sizeText(workload: string, connections: number): string {
  const [one, several] = workloadRow(workload)?.counted ?? ["connection", "connections"];
  return `${count(connections)} ${connections === 1 ? one : several}`;
}

/** "members"; the same word for an axis. */
export function countedWord(workload: string): string {
  return workloadRow(workload)?.counted?.[1] ?? "connections";
}

/** A workload as its table has it, or what its cells tell of one. */
type WorkloadWords = Pick<Workload, "title" | "lead" | "unit" | "whole"> & {
  readonly charts: readonly string[];
};

export function workloadWords(workload: string, cells: readonly Cell[]): WorkloadWords {
  const known = workloadRow(workload);
  if (known !== undefined) return known;
  const found = new Set(cells.flatMap((cell) => Object.keys(cell.metrics)));
  const metrics = [...preferred.filter((name) => found.has(name)), ...found];
  return { title: words(workload), lead: "", charts: [...new Set(metrics)].slice(0, 2) };
}

/** Whether its messages are counted, and not compared with what they should be. */
export function isUnchecked(workload: string): boolean {
  return workloadRow(workload)?.unchecked === true;
}

/** The metric that a group of cells is about: what they say, else what its workload usually is. */
export function principalMetric(workload: string, cells: readonly Cell[]): string {
  const told = cells.find(({ headline }) => headline !== undefined)?.headline;
  if (told !== undefined) return told;
  const has = (name: string) =>
    cells.some(({ metrics }) => (metrics as Record<string, unknown>)[name] !== undefined);
  const { charts } = workloadWords(workload, cells);
  return charts.find(has) ?? preferred.find(has) ?? "serverCpuPerMessage";
}

/** Metrics of which more is better, which turns the order of a table. */
export function moreIsBetter(metric: string): boolean {
  return metricRow(metric)?.better === "more";
}

/** What a cell has in addition to figures, as a heading. */
export function factTitle(name: string): string {
  return factTitles[name] ?? words(name);
}

const preferred = [
  "serverCpuPerMessage",
  "messagesPerCpuSecond",
  "throughput",
  "acceptsPerSecond",
  "idleCpuPercent",
  "userBytesPerConnection",
  "fairnessJain",
  "latencyP99",
];

interface UnitWords {
  readonly format: Format;
  readonly axis: "log" | "linear";
  readonly round: number;
}

const units: Readonly<Record<string, UnitWords>> = {
  ...Object.fromEntries(
    ["ns", "us", "ms", "s"].map((unit) => [unit, { format: duration, axis: "log", round: 1 }]),
  ),
  // An idle server's share of a core is far below a tenth of a percent.
  percent: {
    format: formatOf((value) => ({
      ...(value < 0.95 && value > 0
        ? { digits: significant(value, 2), size: rounded(value, 2) }
        : { digits: percent(value), size: Number(value.toFixed(1)) }),
      unit: " %",
    })),
    axis: "linear",
    round: 1,
  },
  ratio: { format: ratio, axis: "log", round: 1 },
  bytes: { format: bytes, axis: "linear", round: 1024 },
  "1/s": {
    format: formatOf((value) => {
      const size = rounded(value, 3);
      return { digits: value < 100 ? significant(value) : count(size), unit: "/s", size };
    }),
    axis: "log",
    round: 1,
  },
};

const anyUnit: UnitWords = {
  format: plainNumber,
  axis: "log",
  round: 1,
};
