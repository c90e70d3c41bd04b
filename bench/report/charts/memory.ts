// Memory per connection: the server's own and the kernel's, stacked, and what all of them take. The
// figures are slopes over several connection counts.

import type { Cell } from "../../model/results.ts";
import { bytes, count, shortest } from "../format.ts";
import { figure, type Group, isLostInNoise, isMeasured } from "../groups.ts";
import { identifier } from "../markup.ts";
import { markOf } from "../svg/palette.ts";
import type { ChartRow } from "../svg/row-chart.ts";
import { type Chart, cellTable, tableInterval, titled } from "./chart.ts";
import { drawable, missingOf } from "./who.ts";

const user = "userBytesPerConnection";
const kernel = "kernelBytesPerConnection";

/** Undefined if no cell has it. */
export function memoryChart(group: Group, reference: string): Chart | undefined {
  const cells = drawable(group, user).sort((left, right) => total(left) - total(right));
  const [most] = cells.slice(-1);
  if (most === undefined) return undefined;
  const withKernel = cells.some((cell) => figure(cell, kernel) !== undefined);
  return {
    id: identifier("memory", group.workload, group.scale),
    ...titled("Memory per connection", `up to ${group.scale}`),
    description:
      "Memory per connection, a bar per contender: the server's own, and the kernel's. " +
      `${cells.map(summary).join("; ")}.`,
    spec: {
      kind: "rows",
      axis: {
        kind: "linear",
        title: "memory per connection",
        format: shortest(bytes),
        unit: 1024 ** Math.max(0, Math.floor(Math.log(Math.max(total(most), 1)) / Math.log(1024))),
      },
      base: null,
      legend: [
        { filling: "solid", bar: "full", text: "server's own" },
        ...(withKernel
          ? [{ filling: "solid", bar: "light", text: "kernel's, of both ends" } as const]
          : []),
        ...(cells.every(isMeasured)
          ? []
          : [{ filling: "solid", bar: "open", text: "not ranked" } as const]),
      ],
      noteTitle: withKernel ? "own + kernel · all connections" : "all connections",
      rows: cells.map((cell) => rowOf(cell, reference)),
    },
    table: cellTable(["user", "low", "high", "kernel", "low", "high", "status"], cells, (cell) => [
      ...tableInterval(cell, user, bytes),
      ...tableInterval(cell, kernel, bytes),
      { text: cell.status },
    ]),
    missing: missingOf(group, cells),
  };
}

function rowOf(cell: Cell, reference: string): ChartRow {
  const parts = [user, kernel].map((name) => figure(cell, name)?.median ?? 0);
  return {
    contender: cell.contender,
    mark: markOf(cell),
    note: `${shares(cell)}${timesAll(cell)}`,
    shortNote: `${bytes(total(cell))}${timesAll(cell)}`,
    tip: summary(cell),
    strong: cell.contender === reference,
    bars: parts,
    barKind: isMeasured(cell) ? "solid" : "open",
  };
}

function summary(cell: Cell): string {
  return `${cell.contender}: ${shares(cell)}`;
}

/** What all connections take, " · 10,000: 33 MiB"; empty if a part is not known. */
function timesAll(cell: Cell): string {
  if (isLostInNoise(cell, kernel)) return "";
  return ` · ${count(cell.connections)}: ${bytes(total(cell) * cell.connections)}`;
}

/** "220 B + 3.2 KiB". Of few connections the kernel's slope may be lost in noise. */
function shares(cell: Cell): string {
  const own = bytes(figure(cell, user)?.median ?? 0);
  const other = figure(cell, kernel)?.median;
  if (other === undefined) return isLostInNoise(cell, kernel) ? `${own} + not resolved` : own;
  return `${own} + ${bytes(other)}`;
}

function total(cell: Cell): number {
  return [user, kernel].reduce((sum, name) => sum + (figure(cell, name)?.median ?? 0), 0);
}
