// Which cells belong into one table, and in which order: a workload at one scale, by what it is
// about (server CPU per message, the cheapest first), then what could not be ranked.

import { metricRow } from "../model/metrics.ts";
import type { Cell, Metric, Results, Status } from "../model/results.ts";
import { workloadRow } from "../model/workloads/catalogue.ts";
import { usualPayloadBytes } from "../model/workloads/workload.ts";
import { absent, count, microsecondsIn, plainLine } from "./format.ts";
import { moreIsBetter, principalMetric, sizeText } from "./metric-words.ts";

/** The cells of one workload at one scale, sorted. */
export interface Group {
  readonly workload: string;
  /** Such as "echo-rate: 10,000 connections, 64-byte messages, 30,000 messages/s". */
  readonly title: string;
  /** Such as "10,000 connections, 64-byte messages, 30,000 messages/s". */
  readonly scale: string;
  /** The metric that it is sorted by: serverCpuPerMessage, or what the workload is about. */
  readonly metric: string;
  /** What has a figure: ok, tie, or not resolved; the best first. */
  readonly measured: readonly Cell[];
  /** The rest, each with its reason. */
  readonly others: readonly Cell[];
}

/** The groups in the order in which their first cells stand in the results. */
export function groupCells(results: Results): Group[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of results.cells) {
    const title = `${plainLine(cell.workload)}: ${scaleText(cell)}`;
    const cells = groups.get(title);
    if (cells === undefined) groups.set(title, [cell]);
    else cells.push(cell);
  }
  return [...groups].map(([title, cells]) => groupOf(title, cells));
}

function groupOf(title: string, cells: readonly Cell[]): Group {
  const workload = cells[0]?.workload ?? "";
  const metric = principalMetric(workload, cells);
  const sign = moreIsBetter(metric) ? -1 : 1;
  // Without a figure a row goes last, and a difference of two such is not NaN.
  const key = (cell: Cell) => (figure(cell, metric)?.median ?? sign * Number.MAX_VALUE) * sign;
  return {
    workload,
    title,
    scale: title.slice(plainLine(workload).length + 2),
    metric,
    measured: cells.filter(hasFigures).sort((left, right) => key(left) - key(right)),
    others: cells
      .filter((cell) => !hasFigures(cell))
      .sort((left, right) => orderOf(left.status) - orderOf(right.status)),
  };
}

/** A figure and its interval; times in microseconds, whatever the unit of the metric. */
export interface Figure {
  readonly median: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** A cell's figure by its name; undefined if it is missing, null or lost in noise. */
export function figure(cell: Cell, name: string): Figure | undefined {
  const metric = metricOf(cell, name);
  if (metric === undefined || metric.median === null || isLostInNoise(cell, name)) return undefined;
  const scale = microsecondsIn(metric.unit) ?? 1;
  return {
    median: metric.median * scale,
    low: metric.low === null ? null : metric.low * scale,
    high: metric.high === null ? null : metric.high * scale,
  };
}

function metricOf(cell: Cell, name: string): Metric | undefined {
  return (cell.metrics as Readonly<Record<string, Metric | undefined>>)[name];
}

/**
 * Whether memory per connection is not resolved: a connection cannot give memory back, so the noise
 * of the machine is larger than what it takes.
 */
export function isLostInNoise(cell: Cell, name: string): boolean {
  return name.endsWith("BytesPerConnection") && (metricOf(cell, name)?.median ?? 1) <= 0;
}

/** What stands in a table without a figure. */
export function withoutFigure(cell: Cell, name: string): string {
  return isLostInNoise(cell, name) ? "not resolved" : absent;
}

/** A cell's figure; or else its lower bound, where the metric has one. */
export function figureOrBound(cell: Cell, name: string): Figure | undefined {
  return figure(cell, name) ?? figure(cell, metricRow(name)?.bound ?? name);
}

/** The unit of a cell's metric; "1" if it has none. */
export function unitOf(cell: Cell, name: string): string {
  return metricOf(cell, name)?.unit ?? "1";
}

/** Whether a metric is a quantile of the latencies. */
export function isLatency(name: string): boolean {
  return metricRow(name)?.sum.of === "latency";
}

/** Whether a metric is a 99th percentile, which is shown with its interval everywhere. */
export function isP99(name: string): boolean {
  return name.includes("P99") && !name.includes("P999");
}

/** Whether the interval of its ratio is Student's, which few blocks do not weaken. */
export function hasStudentRatio({ metrics }: Cell): boolean {
  return metrics.ratioToReference?.interval === "student";
}

/** What varies between the cells of a workload, in words. */
export function scaleText(cell: Cell): string {
  const { connections, activeConnections, payloadBytes, ratePerSecond, variant } = cell;
  const counted = workloadRow(cell.workload)?.rateUnit ?? "messages";
  const parts = [
    sizeText(cell.workload, connections),
    ...(activeConnections === connections ? [] : [activeText(cell)]),
    ...(payloadBytes === 0 ? [] : [`${count(payloadBytes)}-byte messages`]),
    ...(ratePerSecond === null ? [] : [`${count(ratePerSecond)} ${counted}/s`]),
    ...(variant === undefined ? [] : [plainLine(variant)]),
  ];
  return parts.join(", ");
}

function activeText({ workload, activeConnections: active }: Cell): string {
  const special = workloadRow(workload)?.activeText;
  return special?.(count(active)) ?? (active === 0 ? "all silent" : `${count(active)} active`);
}

/** Whether the run was interrupted before anything of it was measured. */
export function isUntouched({ measured, others }: Group, { complete }: Results): boolean {
  if (complete || measured.length > 0) return false;
  const untouched = ({ blocks, dropped, messages }: Cell) => blocks + dropped + messages === 0;
  const waiting = others.filter(({ status }) => status === "inconclusive");
  const ready = others.some(({ status }) => status === "failed");
  return !ready && waiting.length > 0 && waiting.every(untouched);
}

/** The groups with the one of most connections first, of the usual payload; the others in order. */
export function headlineFirst(groups: readonly Group[]): Group[] {
  const [first, ...others] = groups;
  if (first === undefined) return [];
  const best = others.reduce((best, group) => (matters(group, best) ? group : best), first);
  return [best, ...groups.filter((group) => group !== best)];
}

function matters(group: Group, than: Group): boolean {
  const key = ({ measured, others }: Group) => {
    const cell = measured[0] ?? others[0];
    if (cell === undefined) return [0, 0, 0];
    const usual = cell.payloadBytes === usualPayloadBytes ? 1 : 0;
    return [measured.length > 0 ? 1 : 0, cell.connections, usual];
  };
  const [left, right] = [key(group), key(than)];
  const differing = left.findIndex((value, index) => value !== right[index]);
  // Of variants the last is the one that the workload is about, after its baseline.
  return differing < 0 || (left[differing] ?? 0) > (right[differing] ?? 0);
}

/** The group that the report opens with: of echo-rate, or of whatever was measured. */
export function headlineGroup(groups: readonly Group[]): Group | undefined {
  const echo = groups.filter(({ workload }) => workload === "echo-rate");
  return headlineFirst(echo.length > 0 ? echo : groups)[0];
}

/** Whether a cell may be ranked. */
export function isMeasured(cell: Cell): boolean {
  return cell.status === "ok" || cell.status === "tie";
}

/** Whether it has its figures, and only the difference from the reference is not resolved. */
export function isUnresolved({ cause, status }: Cell): boolean {
  return status === "inconclusive" && cause?.code === "unresolved";
}

/** Whether the 95 % interval excludes 1, and only the stricter test of a ranking does not. */
export function isProbable(cell: Cell): boolean {
  const ratio = figure(cell, "ratioToReference");
  if (!isUnresolved(cell) || ratio === undefined) return false;
  return (ratio.low ?? 0) > 1 || (ratio.high ?? 2) < 1;
}

/** Whether it has figures that are shown, with an open mark, and not ranked. */
export function isSeen({ status, blocks }: Cell): boolean {
  // A load that the generator could not make in one block may have been measured in others.
  return status === "inconclusive" || (status === "unavailable" && blocks > 0);
}

/** Whether its own figures stand, ranked or not. */
export function hasFigures(cell: Cell): boolean {
  return isMeasured(cell) || isUnresolved(cell);
}

function orderOf(status: Status): number {
  return ["inconclusive", "failed", "skipped", "unavailable", "unsupported"].indexOf(status);
}
