// CPU a message as ratios to the reference, with intervals, on a logarithmic axis: the headline.
// Where no contender has a ratio, the cost itself. Enters: a group of cells. Leaves: a Chart.
// Fleming and Wallace 1986: ratios belong on a logarithmic axis.

import type { Cell } from "../../model/results.ts";
import { duration, ratio } from "../format.ts";
import { figure, type Group } from "../groups.ts";
import { identifier } from "../markup.ts";
import { metricWords, tickText } from "../metric-words.ts";
import { markOf } from "../svg/palette.ts";
import type { ChartRow } from "../svg/row-chart.ts";
import { capital, reasonOf } from "../words.ts";
import {
  type Chart,
  type ChartTable,
  figureWithInterval,
  intervalOf,
  tableInterval,
  tableValue,
  titled,
} from "./chart.ts";
import { metricChart } from "./metric.ts";
import { drawable, missingOf } from "./who.ts";

/** Undefined where nothing can be drawn. */
export function ratioChart(group: Group, reference: string): Chart | undefined {
  const { metric } = group;
  const cells = drawable(group, metric);
  const rated = cells.filter((cell) => figure(cell, "ratioToReference") !== undefined);
  if (rated.length < 2 || !rated.some(({ contender }) => contender === reference)) {
    return metricChart(group, metric, { reference });
  }
  const cost = metricWords(metric, "us").title;
  return {
    id: identifier("ratio", group.workload, group.scale),
    ...titled(`${capital(cost)} against ${reference}`, group.scale),
    description: descriptionOf(rated, cost, reference),
    spec: {
      kind: "rows",
      axis: {
        kind: "log",
        title: `${cost}, times the reference`,
        format: (value) => `${tickText(ratio)(value)}×`,
      },
      base: { value: 1, label: `${reference} = 1` },
      legend: rated.some((cell) => isOpen(cell, reference))
        ? [
            { filling: "solid", text: "told apart from the reference" },
            { filling: "open", text: "tie, or not ranked" },
          ]
        : [],
      noteTitle: "ratio (95 %)",
      rows: rated.map((cell) => rowOf(cell, metric, reference)),
    },
    table: tableOf(rated, metric),
    missing: missingOf(group, rated),
  };
}

function rowOf(cell: Cell, metric: string, reference: string): ChartRow {
  const found = figure(cell, "ratioToReference") ?? { median: 1, low: null, high: null };
  const cost = figure(cell, metric);
  const own = cell.contender === reference;
  const words = own ? "reference" : figureWithInterval(found, ratio);
  const told = cell.status === "ok" || own ? "" : `, ${cell.status}`;
  const costWords = cost === undefined ? "" : `; ${figureWithInterval(cost, duration)}`;
  return {
    contender: cell.contender,
    mark: markOf(cell),
    note: own ? "reference" : `${words}${told}`,
    shortNote: own ? "reference" : `${ratio(found.median)}${told}`,
    tip: `${cell.contender}: ${words}${own ? "" : " × the reference"}${told}${costWords}`,
    strong: own,
    faint: cell.status === "inconclusive",
    interval: own ? null : intervalOf(found),
    points: [{ value: found.median, filling: isOpen(cell, reference) ? "open" : "solid" }],
  };
}

function isOpen({ contender, status }: Cell, reference: string): boolean {
  return contender !== reference && status !== "ok";
}

function descriptionOf(cells: readonly Cell[], cost: string, reference: string): string {
  const ties = cells.filter(({ status }) => status === "tie").map(({ contender }) => contender);
  const words = cells
    .filter(({ contender }) => contender !== reference)
    .map((cell) => `${cell.contender} ${ratio(figure(cell, "ratioToReference")?.median ?? 1)}`);
  const tied = ties.length === 0 ? "" : ` Ties: ${ties.join(", ")}.`;
  return (
    `${capital(cost)} as a multiple of ${reference}'s, a row each, with 95 % intervals, ` +
    `on a logarithmic axis: ${words.join(", ")}.${tied}`
  );
}

function tableOf(cells: readonly Cell[], metric: string): ChartTable {
  return {
    columns: [
      "contender",
      ...["ratio", "low", "high"],
      ...[metricWords(metric, "us").title, "low", "high"],
      ...["CPU of a core, %", "status"],
    ],
    rows: cells.map((cell) => ({
      name: cell.contender,
      values: [
        ...tableInterval(cell, "ratioToReference", ratio),
        ...tableInterval(cell, metric, duration),
        tableValue(cell, "serverCpuPercent", (value) => value.toFixed(1)),
        { text: cell.status === "inconclusive" ? reasonOf(cell) : cell.status },
      ],
    })),
  };
}
