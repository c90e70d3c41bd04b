// cells.csv: a row for each cell and metric, for spreadsheets and data frames. RFC 4180.

import type { Metric } from "../model/results.ts";
import { plainLine } from "./format.ts";
import { scaleText } from "./groups.ts";
import type { ReportFormat } from "./rendering.ts";
import type { Report } from "./report.ts";

const columns = [
  ...["workload", "contender", "connections", "activeConnections", "payloadBytes"],
  ...["ratePerSecond", "scale", "status", "blocks", "dropped", "messages", "mismatches"],
  ...["metric", "unit", "median", "low", "high", "reason"],
] as const;

/** A cell without figures has one row, with an empty metric. Numbers are in full. */
export function renderCsv({ results }: Report): string {
  const lines = results.cells.flatMap((cell) => {
    const own = [cell.workload, cell.contender, cell.connections, cell.activeConnections];
    const more = [cell.payloadBytes, cell.ratePerSecond, scaleText(cell), cell.status];
    const counts = [cell.blocks, cell.dropped, cell.messages, cell.mismatches];
    const metrics: readonly (readonly [string, Metric | null])[] = Object.entries(cell.metrics);
    const figures = metrics.length === 0 ? [["", null] as const] : metrics;
    return figures.map(([name, metric]) => [
      ...own,
      ...more,
      ...counts,
      ...[name, metric?.unit, metric?.median, metric?.low, metric?.high, cell.reason],
    ]);
  });
  return [columns, ...lines].map((fields) => `${fields.map(field).join(",")}\r\n`).join("");
}

export const csv: ReportFormat = {
  name: "csv",
  text: renderCsv,
  files: (report) => new Map([["cells.csv", renderCsv(report)]]),
};

function field(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const words = plainLine(String(value));
  // A spreadsheet would run what begins like a formula.
  const inert = /^[=+\-@]/.test(words) ? `'${words}` : words;
  return /[",]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
