// The measurements of runs that an answer may use: scales at which messages came at a matched rate,
// and the memory per connection, one point per workload and scale. Pure.

import type { Cell, Results } from "../model/results.ts";
import { figure, groupCells, hasFigures } from "../report/groups.ts";
import type { Elsewhere, MeasuredPoint, Question } from "./question.ts";

/** The workloads whose cells differ in nothing but the axes of a question. */
export const sources: readonly string[] = ["echo-rate", "active-fraction"];

/** Every scale with a figure that counts; those of later runs first. */
export function pointsOf(runs: readonly Results[]): MeasuredPoint[] {
  return newestFirst(runs).flatMap((run) =>
    groupCells(run)
      .filter(({ workload }) => sources.includes(workload))
      .map(({ measured, others }) => pointOf(run, [...measured, ...others]))
      .filter((point) => point !== null),
  );
}

/** Whether a cell may be in an answer; a difference that is not resolved is one that ties there. */
export function counts(cell: Cell): boolean {
  return hasFigures(cell) && figure(cell, "serverCpuPerMessage") !== undefined;
}

/** The latest memory cell whose slope, which starts at a tenth, covers so many connections. */
export function memoryCell(
  runs: readonly Results[],
  contender: string,
  connections: number,
): Cell | null {
  const covers = (cell: Cell) =>
    connections <= cell.connections && connections >= cell.connections / 10;
  const found = newestFirst(runs).flatMap(({ cells }) =>
    cells.filter(
      (cell) =>
        cell.workload === "memory" &&
        cell.contender === contender &&
        hasFigures(cell) &&
        covers(cell) &&
        figure(cell, "userBytesPerConnection") !== undefined,
    ),
  );
  return found[0] ?? null;
}

/** What other workloads measured with so many connections; nothing if the sources did as well. */
export function elsewhereOf(runs: readonly Results[], { connections }: Question): Elsewhere[] {
  const found = newestFirst(runs).flatMap(({ cells, profile, startedAt }) => {
    const there = cells.filter((cell) => cell.connections === connections && hasFigures(cell));
    const workloads = new Set(there.map(({ workload }) => workload));
    return [...workloads].map((workload) => ({ workload, profile, startedAt }));
  });
  return found.some(({ workload }) => sources.includes(workload)) ? [] : found;
}

function pointOf(run: Results, cells: readonly Cell[]): MeasuredPoint | null {
  const first = cells.find(counts);
  // Requests of other protocols have no size that could be compared.
  const sized = first !== undefined && first.payloadBytes > 0;
  if (!sized || first.ratePerSecond === null) return null;
  const { connections, activeConnections, payloadBytes, ratePerSecond } = first;
  return {
    ...{ connections, activeConnections, payloadBytes, ratePerSecond },
    activePercent: (100 * activeConnections) / connections,
    cells,
    run,
  };
}

function newestFirst(runs: readonly Results[]): Results[] {
  return [...runs].sort((one, other) => other.startedAt.localeCompare(one.startedAt));
}
