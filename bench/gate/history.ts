// The history: one line of JSON per run, append-only, with the raw figures of every block, so that
// later analyses can use it. https://jsonlines.org

import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Results } from "../model/results.ts";
import { gateMetrics } from "./metrics.ts";
import type { GateResult } from "./result.ts";
import { loadName } from "./words.ts";

export interface HistoryRecord {
  readonly schemaVersion: 1;
  /** Of the machine: only equal ones are compared. */
  readonly fingerprint: string;
  readonly commit: string | null;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly profile: string;
  readonly series: readonly SeriesRecord[];
}

export interface SeriesRecord {
  /** "echo-rate ts:reactor-epoll serverCpuPerMessage": the same thing in every record. */
  readonly name: string;
  /** By its name in metrics.ts. */
  readonly metric: string;
  /** What each block gave, in the metric's unit. */
  readonly blocks: readonly number[];
}

/** A line that is not ours; the message says which. */
export class HistoryFormatError extends Error {
  override readonly name = "HistoryFormatError";
}

/** Makes the file and its folder where they are missing. */
export function appendHistory(file: string, record: HistoryRecord): void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, `${JSON.stringify(record)}\n`);
}

/** @throws {HistoryFormatError} @throws the file system's error. */
export function readHistory(file: string): HistoryRecord[] {
  return parseHistory(readFileSync(file, "utf8"), file);
}

/** Pure. @param source the file's name, for messages. @throws {HistoryFormatError} */
export function parseHistory(text: string, source: string): HistoryRecord[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const record = recordOf(line);
    if (record !== null) return [record];
    throw new HistoryFormatError(
      `${source}, line ${index + 1}: truncated, or not a record of ours`,
    );
  });
}

/** The head's side of a gate's run. Pure. */
export function recordOfGate(result: GateResult): HistoryRecord {
  const { cells, environment, head, profile, startedAt } = result;
  return {
    schemaVersion: 1,
    fingerprint: environment.fingerprint,
    commit: head.commit,
    at: startedAt,
    profile: `regression ${profile}`,
    series: cells
      .filter(({ blocks }) => blocks.length > 0)
      .map(({ workload, contender, metric, blocks }) => ({
        name: `${workload} ${contender} ${metric}`,
        metric,
        blocks: blocks.map(({ head: figure }) => figure),
      })),
  };
}

/** Every compared metric of every cell that has figures. Pure. */
export function recordOfResults({
  cells,
  environment,
  profile,
  startedAt,
}: Results): HistoryRecord {
  const commit = environment["commit"];
  return {
    schemaVersion: 1,
    fingerprint: environment.fingerprint,
    commit: typeof commit === "string" ? commit : null,
    at: startedAt,
    profile,
    series: cells.flatMap((cell) =>
      gateMetrics.flatMap(({ name: metric }) => {
        const blocks = Object.entries(cell.metrics).find(([name]) => name === metric)?.[1].blocks;
        if (blocks === undefined || blocks.length === 0) return [];
        return [{ name: `${loadName(cell)} ${cell.contender} ${metric}`, metric, blocks }];
      }),
    ),
  };
}

function recordOf(line: string): HistoryRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const record = value as Partial<HistoryRecord> | null;
  const strings = [record?.fingerprint, record?.at, record?.profile];
  if (record?.schemaVersion !== 1 || strings.some((field) => typeof field !== "string"))
    return null;
  const series = Array.isArray(record.series) && record.series.every(isSeries);
  return series ? (record as HistoryRecord) : null;
}

function isSeries(value: unknown): value is SeriesRecord {
  const series = value as Partial<SeriesRecord> | null;
  return (
    typeof series?.name === "string" &&
    typeof series.metric === "string" &&
    Array.isArray(series.blocks) &&
    series.blocks.length > 0 &&
    series.blocks.every((figure) => Number.isFinite(figure))
  );
}
