// The history: one line of JSON per run, append-only, with the raw figures of every block, so that
// later analyses can use it. https://jsonlines.org

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Results } from "../model/results.ts";
import * as s from "../model/schema.ts";
import { makeFolders } from "../report/write.ts";
import { requestsOf, requestWords } from "../run/protocol.ts";
import { gateMetrics } from "./metrics.ts";
import type { GateResult } from "./result.ts";
import { loadName, shareText } from "./words.ts";

const seriesSchema = s.record({
  /** "echo-rate ts:reactor-epoll serverCpuPerMessage": the same thing in every record. */
  name: s.text,
  /** By its name in the table of metrics. */
  metric: s.oneOf(...gateMetrics.map(({ name }): string => name)),
  /** The figure of each block, in the metric's unit; one at least. */
  blocks: s.some(s.number),
});
const recordSchema = s.record({
  schemaVersion: s.oneOf(1),
  /** Of the machine: only equal ones are compared. */
  fingerprint: s.text,
  commit: s.nullable(s.text),
  /** ISO 8601, UTC. */
  at: s.time,
  /** With the requests, if they are not the suite's own: only equal ones are in one series. */
  profile: s.text,
  series: s.list(seriesSchema),
});
export type HistoryRecord = s.Infer<typeof recordSchema>;

/** A file that is no history, or cannot be read; the message names the line or the cause. */
export class HistoryFormatError extends Error {
  override readonly name = "HistoryFormatError";
}

/** Makes the file and its folder where they are missing. */
export function appendHistory(file: string, record: HistoryRecord): void {
  makeFolders(dirname(file));
  // A line that a full disk has cut must not take this one with it.
  const cut = existsSync(file) && !/(^|\n)$/.test(readFileSync(file, "utf8"));
  appendFileSync(file, `${cut ? "\n" : ""}${JSON.stringify(record)}\n`);
}

/** @throws {HistoryFormatError} also if the file cannot be read. */
export function readHistory(file: string): HistoryRecord[] {
  return parseHistory(textOf(file), file);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new HistoryFormatError(`cannot read "${file}": ${why}`);
  }
}

/** Pure. @param source the file's name, for messages. @throws {HistoryFormatError} */
export function parseHistory(text: string, source: string): HistoryRecord[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const record = parsed(line);
    const complaint =
      record === undefined ? "truncated, or not JSON" : recordSchema.check(record, "");
    if (complaint === null) return [record as HistoryRecord];
    throw new HistoryFormatError(`${source}, line ${index + 1}: ${complaint}`);
  });
}

/** Undefined for a line that is no JSON, such as one that was cut off. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The head's side of a gate's run. Pure. */
export function recordOfGate(result: GateResult): HistoryRecord {
  const { cells, environment, head, profile, load, startedAt } = result;
  return {
    schemaVersion: 1,
    fingerprint: environment.fingerprint,
    commit: head.commit,
    at: startedAt,
    profile: ["regression", profile, ...(load === undefined ? [] : [`(${load})`])].join(" "),
    series: cells
      .filter(({ blocks }) => blocks.length > 0)
      .map((cell) => ({
        name: `${cell.workload}${shareText(cell)} ${cell.contender} ${cell.metric}`,
        metric: cell.metric,
        blocks: cell.blocks.map(({ head: figure }) => figure),
      })),
  };
}

/** Every compared metric of every cell that has figures. Pure. */
export function recordOfResults(results: Results): HistoryRecord {
  const { cells, environment, profile, startedAt } = results;
  const commit = environment["commit"];
  const requests = requestWords(requestsOf(results));
  return {
    schemaVersion: 1,
    fingerprint: environment.fingerprint,
    commit: typeof commit === "string" ? commit : null,
    at: startedAt,
    profile: requests === "" ? profile : `${profile} (${requests})`,
    series: cells.flatMap((cell) =>
      gateMetrics.flatMap(({ name: metric }) => {
        const blocks = Object.entries(cell.metrics).find(([name]) => name === metric)?.[1].blocks;
        if (blocks === undefined || blocks.length === 0) return [];
        return [{ name: `${loadName(cell)} ${cell.contender} ${metric}`, metric, blocks }];
      }),
    ),
  };
}
