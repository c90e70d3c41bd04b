// Every cell with every figure: a table a workload, a column for each metric that it has. Enters:
// Results. Leaves: Markup. What the workload is about has its interval beside it; the others,
// and the blocks, are in results.json.

import type { Cell, Results } from "../../results.ts";
import {
  type ChartTable,
  figureWithInterval,
  type TableValue,
  tableCount,
} from "../charts/chart.ts";
import { absent, count, plainLine } from "../format.ts";
import { figure, scaleText, unitOf } from "../groups.ts";
import { element, type Markup, text } from "../markup.ts";
import { metricWords, principalMetric } from "../metric-words.ts";
import { tableRegion } from "./table.ts";

/** One closed table a workload, in the order of the results. */
export function rawTables(results: Results): Markup[] {
  const workloads = [...new Set(results.cells.map(({ workload }) => workload))];
  return workloads.map((workload) => {
    const cells = results.cells.filter((cell) => cell.workload === workload);
    const title = `${plainLine(workload)}: ${count(cells.length)} cells`;
    return element(
      "details",
      { class: "folded raw" },
      element("summary", {}, text(title)),
      tableRegion(rawTable(cells), { caption: title, byContender: true }),
    );
  });
}

/** All figures of a workload's cells, for the page and for tests. */
export function rawTable(cells: readonly Cell[]): ChartTable {
  const metrics = [...new Set(cells.flatMap((cell) => Object.keys(cell.metrics)))].filter((name) =>
    cells.some((cell) => figure(cell, name) !== undefined),
  );
  const titles = metrics.map((name) => metricWords(name, unitIn(cells, name)).title);
  const about = new Set(["ratioToReference", principalMetric(cells[0]?.workload ?? "", cells)]);
  const withReasons = cells.some(({ reason }) => reason !== null);
  return {
    columns: [
      ...["contender", "scale", "status", "blocks", "dropped", "messages", "mismatches"],
      ...titles,
      ...(withReasons ? ["reason"] : []),
    ],
    rows: cells.map((cell) => ({
      name: cell.contender,
      values: [
        { text: scaleText(cell) },
        { text: cell.status },
        tableCount(cell.blocks),
        tableCount(cell.dropped),
        tableCount(cell.messages),
        tableCount(cell.mismatches),
        ...metrics.map((name) => metricValue(cell, name, about.has(name))),
        ...(withReasons ? [{ text: plainLine(cell.reason ?? "") }] : []),
      ],
    })),
  };
}

function metricValue(cell: Cell, name: string, withInterval: boolean): TableValue {
  const found = figure(cell, name);
  if (found === undefined) return { text: absent };
  const { format } = metricWords(name, unitOf(cell, name));
  const median = format(found.median);
  if (!withInterval) return { text: median, value: found.median };
  const words = figureWithInterval(found, format);
  return { text: median, value: found.median, beside: words.slice(median.length + 1) };
}

function unitIn(cells: readonly Cell[], name: string): string {
  const cell = cells.find((one) => figure(one, name) !== undefined);
  return cell === undefined ? "1" : unitOf(cell, name);
}
