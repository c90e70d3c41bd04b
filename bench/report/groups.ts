// Which cells belong into one table, and in which order: a workload at one scale, by server CPU a
// message ascending, then what could not be ranked. Enters: Results. Leaves: to verdict.ts,
// terminal.ts and markdown.ts.

import type { Cell, MetricName, Results, Status } from "../results.ts";
import { count, microsecondsIn } from "./format.ts";

/** The cells of one workload at one scale, sorted. */
export interface Group {
  /** Such as "echo-rate: 10,000 connections, 64-byte messages, 30,000 messages/s". */
  readonly title: string;
  /** Status ok or tie, the cheapest first. */
  readonly measured: readonly Cell[];
  /** The rest, each with its reason. */
  readonly others: readonly Cell[];
}

/** The groups in the order in which their first cells stand in the results. */
export function groupCells(results: Results): Group[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of results.cells) {
    const title = titleOf(cell);
    const cells = groups.get(title);
    if (cells === undefined) groups.set(title, [cell]);
    else cells.push(cell);
  }
  return [...groups].map(([title, cells]) => ({
    title,
    measured: cells.filter(isMeasured).sort((left, right) => cpuOrLast(left) - cpuOrLast(right)),
    others: cells
      .filter((cell) => !isMeasured(cell))
      .sort((left, right) => lateness(left.status) - lateness(right.status)),
  }));
}

/**
 * A figure that was measured, with its interval; times in microseconds, whatever the unit of the
 * metric.
 */
export interface Figure {
  readonly median: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** A cell's figure by its name; undefined where it is missing or null. */
export function figure(cell: Cell, name: MetricName): Figure | undefined {
  const metric = cell.metrics[name];
  if (metric === undefined || metric.median === null) return undefined;
  const scale = microsecondsIn(metric.unit) ?? 1;
  return {
    median: metric.median * scale,
    low: metric.low === null ? null : metric.low * scale,
    high: metric.high === null ? null : metric.high * scale,
  };
}

function titleOf(cell: Cell): string {
  const { workload, connections, activeConnections, payloadBytes, ratePerSecond } = cell;
  const parts = [
    `${count(connections)} ${connections === 1 ? "connection" : "connections"}`,
    ...(activeConnections === connections ? [] : [`${count(activeConnections)} active`]),
    `${count(payloadBytes)}-byte messages`,
    ...(ratePerSecond === null ? [] : [`${count(ratePerSecond)} messages/s`]),
  ];
  return `${workload}: ${parts.join(", ")}`;
}

function isMeasured(cell: Cell): boolean {
  return cell.status === "ok" || cell.status === "tie";
}

/**
 * The key of the table's order; without a figure a row goes last, and a difference of two such is
 * not NaN.
 */
function cpuOrLast(cell: Cell): number {
  return figure(cell, "serverCpuPerMessage")?.median ?? Number.MAX_VALUE;
}

function lateness(status: Status): number {
  return ["inconclusive", "failed", "skipped", "unavailable", "unsupported"].indexOf(status);
}
