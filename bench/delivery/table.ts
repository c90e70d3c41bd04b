// The delivery table in Markdown: a row for each way, a column for each question. Pure. Enters:
// cells. Leaves: text.

import type { DeliveryCell, DeliveryMetric } from "./cells.ts";

const figure = (cell: DeliveryCell, name: DeliveryMetric): string => {
  const median = cell.metrics[name]?.median ?? null;
  if (median === null) return "—";
  return median !== 0 && Math.abs(median) < 100 ? median.toPrecision(2) : `${Math.round(median)}`;
};

const columns: readonly [string, (cell: DeliveryCell) => string][] = [
  ["way", ({ contender }) => `\`${contender}\``],
  ["last listener, p50 µs", (cell) => figure(cell, "lastListenerP50")],
  ["p99 µs", (cell) => figure(cell, "lastListenerP99")],
  ["CPU of who does not wait, µs", (cell) => figure(cell, "othersCpuPerEvent")],
  ["of a listener", (cell) => figure(cell, "listenerCpuPerEvent")],
  ["of the sender", (cell) => figure(cell, "senderCpuPerEvent")],
  ["for one listener more", (cell) => figure(cell, "senderCpuPerListener")],
  ["lost %", (cell) => figure(cell, "lostPercent")],
  ["duplicated %", (cell) => figure(cell, "duplicatedPercent")],
  ["in a burst: lost %", (cell) => figure(cell, "burstLostPercent")],
  ["duplicated %", (cell) => figure(cell, "burstDuplicatedPercent")],
  ["the sender knows", ({ facts }) => facts?.known ?? "—"],
  ["bytes reach", ({ facts }) => facts?.bytesReach ?? "—"],
  ["event types", ({ facts }) => facts?.holds ?? "—"],
  ["made", ({ facts }) => (facts === null ? "—" : `${facts.heldEventTypes}`)],
  ["µs each", (cell) => figure(cell, "microsecondsPerEventType")],
  ["status", ({ status, reason }) => (reason === null ? status : `${status}: ${reason}`)],
];

export function tableOf(cells: readonly DeliveryCell[]): string {
  const line = (fields: readonly string[]) => `| ${fields.join(" | ")} |`;
  return [
    line(columns.map(([title]) => title)),
    line(columns.map(() => "---")),
    ...cells.map((cell) => line(columns.map(([, text]) => text(cell)))),
  ].join("\n");
}
