// A metric as a count grows, one line per contender, on logarithmic axes: the crossover over active
// connections, and cost over connections or payload; over parts of a capacity on a linear one.

import type { Cell } from "../../model/results.ts";
import { usualPayloadBytes } from "../../model/workloads/workload.ts";
import { isSaturated } from "../cautions.ts";
import { absent, bytes, count, type Format, plainLine, plural, shortest } from "../format.ts";
import { figure, isMeasured, isSeen, unitOf } from "../groups.ts";
import { figureWithInterval, intervalWords } from "../intervals.ts";
import { identifier } from "../markup.ts";
import { countedWord, metricWords } from "../metric-words.ts";
import type { Series, SeriesPoint } from "../svg/line-chart.ts";
import { markIn } from "../svg/palette.ts";
import { capital } from "../words.ts";
import { type Chart, type ChartTable, tableValue, titled } from "./chart.ts";

type Count = "activeConnections" | "connections" | "payloadBytes" | "capacityPercent";

interface GrowthOptions {
  readonly over: Count;
  readonly metric: string;
  /** Whether a cell is to be marked, and with what words: where a curve bends. */
  readonly knee?: (cell: Cell) => string | null;
}

const countWords: Readonly<Record<Count, string>> = {
  activeConnections: "active connections",
  connections: "connections",
  payloadBytes: "bytes per message",
  capacityPercent: "% of its capacity",
};

function countText(workload: string, over: Count): string {
  return over === "connections" ? countedWord(workload) : countWords[over];
}

function sizeOf(cell: Cell, over: Count): number {
  return cell[over] ?? 0;
}

/** A line needs more than two points to say anything; fewer counts give no chart. */
const fewestCounts = 3;

/** The charts for which there are cells enough, the one with the most cells first. */
export function growthCharts(cells: readonly Cell[], options: GrowthOptions): Chart[] {
  const { over, metric } = options;
  const kinds = new Map<string, Cell[]>();
  const several = hasSeveralActive(cells);
  for (const cell of cells.filter((one) => figure(one, metric) !== undefined)) {
    if (sizeOf(cell, over) <= 0 || (!isMeasured(cell) && !isSeen(cell))) continue;
    const held = heldText(cell, { over, metric, several });
    kinds.set(held, [...(kinds.get(held) ?? []), cell]);
  }
  return [...kinds]
    .filter(([, same]) => new Set(same.map((cell) => sizeOf(cell, over))).size >= fewestCounts)
    .sort(([, left], [, right]) => weight(right) - weight(left))
    .map(([held, same]) => growthChart(same, { ...options, held }));
}

/** The usual payload first, then the most connections: the scale that the report opens with. */
function weight(cells: readonly Cell[]): number {
  const usual = cells.some((cell) => cell.payloadBytes === usualPayloadBytes);
  return (usual ? 1e9 : 0) + Math.max(...cells.map(({ connections }) => connections));
}

/** Whether as many connections were measured with more and fewer of them active. */
function hasSeveralActive(cells: readonly Cell[]): boolean {
  const active = new Map(cells.map((cell) => [cell.connections, cell.activeConnections]));
  return cells.some((cell) => active.get(cell.connections) !== cell.activeConnections);
}

interface Holding extends GrowthOptions {
  /** Whether there are several numbers of active connections for one of connections. */
  readonly several: boolean;
}

/** What does not vary along the lines. */
function heldText(cell: Cell, { over, several }: Holding): string {
  const parts: string[] = [];
  const { ratePerSecond, capacityPercent } = cell;
  if (over === "connections") {
    // Else all are active, as a rule: how many are is the count that grows.
    if (several) parts.push(`${count(cell.activeConnections)} active`);
    if (cell.variant !== undefined) parts.push(plainLine(cell.variant));
  } else {
    parts.push(plural(cell.connections, "connection"));
  }
  if (over !== "payloadBytes" && cell.payloadBytes > 0) {
    parts.push(`${count(cell.payloadBytes)}-byte messages`);
  }
  if (ratePerSecond !== null && capacityPercent === undefined) {
    parts.push(`${count(ratePerSecond)} messages/s`);
  }
  return parts.join(", ");
}

interface Held extends GrowthOptions {
  readonly held: string;
}

function growthChart(cells: readonly Cell[], options: Held): Chart {
  const { over, metric, held } = options;
  const [first] = cells;
  const words = metricWords(metric, first === undefined ? "1" : unitOf(first, metric));
  const contenders = [...new Set(cells.map(({ contender }) => contender))];
  const counts = [...new Set(cells.map((cell) => sizeOf(cell, over)))].sort((a, b) => a - b);
  const series = contenders.map(
    (contender): Series => ({
      contender,
      mark: markIn(cells, contender),
      points: cells
        .filter((cell) => cell.contender === contender)
        .sort((left, right) => sizeOf(left, over) - sizeOf(right, over))
        .map((cell) => pointOf(cell, options)),
    }),
  );
  const format = over === "payloadBytes" ? shortest(bytes) : count;
  const counted = countText(first?.workload ?? "", over);
  return {
    id: identifier(first?.workload ?? "", metric, "over", over, held),
    ...titled(
      `${capital(words.title)} ${over === "capacityPercent" ? "at" : "over"} ${counted}`,
      held,
    ),
    description: descriptionOf(series, words.format, counted),
    spec: {
      kind: "lines",
      xAxis: {
        kind: over === "capacityPercent" ? "linear" : "log",
        title: counted,
        format,
        at: counts,
      },
      yAxis: {
        // A logarithmic one has no place for 0.
        kind: cells.every((cell) => (figure(cell, metric)?.median ?? 0) > 0) ? "log" : "linear",
        title: words.title,
        format: shortest(words.format),
      },
      series,
    },
    table: tableOf({ contenders, counts, format, cell: finder(cells, over) }, words.format, metric),
    missing: [],
  };
}

function pointOf(cell: Cell, { over, metric, knee }: Held): SeriesPoint {
  const found = figure(cell, metric) ?? { median: 0, low: null, high: null };
  const { format } = metricWords(metric, unitOf(cell, metric));
  const bend = knee?.(cell) ?? null;
  // Its CPU is the core's at any number of connections, over the rate that it reached.
  const saturated = isCost(metric) && isSaturated(cell);
  const doubt = saturated ? ", saturated" : "";
  const status = isMeasured(cell) ? doubt : `, not ranked: ${plural(cell.blocks, "block")}`;
  return {
    x: sizeOf(cell, over),
    y: found.median,
    low: found.low,
    high: found.high,
    tip:
      `${cell.contender}, ${count(sizeOf(cell, over))} ${countText(cell.workload, over)}: ` +
      `${figureWithInterval(found, format)}${status}${bend === null ? "" : `, ${bend}`}`,
    open: !isMeasured(cell) || saturated,
    ...(bend === null ? {} : { ringed: true }),
  };
}

const isCost = (metric: string) => metric.startsWith("serverCpuPer");

function finder(cells: readonly Cell[], over: Count) {
  return (contender: string, size: number) =>
    cells.find((cell) => cell.contender === contender && sizeOf(cell, over) === size);
}

interface Grid {
  readonly contenders: readonly string[];
  readonly counts: readonly number[];
  readonly format: (value: number) => string;
  readonly cell: (contender: string, size: number) => Cell | undefined;
}

function tableOf(grid: Grid, format: Format, metric: string): ChartTable {
  return {
    columns: ["contender", ...grid.counts.map(grid.format)],
    rows: grid.contenders.map((contender) => ({
      name: contender,
      values: grid.counts.map((size) => {
        const cell = grid.cell(contender, size);
        const found = cell === undefined ? undefined : figure(cell, metric);
        if (cell === undefined || found === undefined) return { text: absent };
        return { ...tableValue(cell, metric, format), beside: intervalWords(found, format) };
      }),
    })),
  };
}

function descriptionOf(
  series: readonly Series[],
  format: (value: number) => string,
  counted: string,
): string {
  const ways = series.map(({ contender, points }) => {
    const [first] = points;
    const last = points.at(-1);
    if (first === undefined || last === undefined) return contender;
    return (
      `${contender} from ${format(first.y)} at ${count(first.x)} ` +
      `to ${format(last.y)} at ${count(last.x)}`
    );
  });
  return `A line for each contender over ${counted}: ${ways.join("; ")}.`;
}
