// The whole distribution of latency, a curve per contender from its stored histogram: percentiles
// on an axis that gives each further nine the same room, latencies on a logarithmic one.

import type { Cell } from "../../model/results.ts";
import { decodeHistogram, HistogramFormatError } from "../../statistics/hdr-encoding.ts";
import { type Histogram, supportedQuantile } from "../../statistics/histogram.ts";
import { absent, duration, shortest } from "../format.ts";
import { figure, type Group, isMeasured, isSeen } from "../groups.ts";
import { intervalWords } from "../intervals.ts";
import { identifier } from "../markup.ts";
import type { Series } from "../svg/line-chart.ts";
import { markOf } from "../svg/palette.ts";
import { type Chart, type TableValue, tableValue, titled } from "./chart.ts";

/** Undefined if no cell of the group has a histogram. */
export function percentileChart(group: Group): Chart | undefined {
  const seen = group.others.filter(isSeen);
  const found = [...group.measured, ...seen].flatMap((cell) => {
    const histogram = histogramOf(cell.latencyHistogram);
    return histogram === undefined ? [] : [{ cell, histogram }];
  });
  if (found.length === 0) return undefined;
  return {
    id: identifier("percentiles", group.workload, group.scale),
    ...titled("Distribution of latency", group.scale),
    description:
      "Latency from the intended send time at each percentile, a curve per contender: " +
      `${found.map(({ cell, histogram }) => summary(cell, histogram)).join("; ")}.`,
    spec: {
      kind: "lines",
      xAxis: {
        kind: "log",
        title: "percentile",
        format: percentileText,
        at: [2, 10, 100, 1000, 1e4],
      },
      yAxis: { kind: "log", title: "latency", format: shortest(duration) },
      series: found.map(({ cell, histogram }) => seriesOf(cell, histogram)),
      smooth: true,
    },
    table: {
      columns: [
        "contender",
        ...tabled.map((q) => percentileText(1 / (1 - q))),
        "sent to received p99",
        "sender delay p99",
      ],
      rows: found.map(({ cell, histogram }) => ({
        name: cell.contender,
        values: [
          ...tabled.map((q) => ({
            ...valueAt(histogram, q),
            ...(q === 0.99 ? intervalOverBlocks(cell) : {}),
          })),
          valueAt(histogramOf(cell.latencyHistogramUncorrected), 0.99),
          tableValue(cell, "senderDelayP99", duration),
        ],
      })),
    },
    missing: [],
  };
}

const tabled = [0.5, 0.9, 0.99, 0.999, 0.9999] as const;

/** Undefined if there is none, or one that this version cannot read. */
function histogramOf(text: string | null | undefined): Histogram | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    return decodeHistogram(text);
  } catch (error) {
    if (error instanceof HistogramFormatError) return undefined;
    throw error;
  }
}

/** From the median on, ten steps per further nine, as far as there are samples for it. */
function seriesOf(cell: Cell, histogram: Histogram): Series {
  const points: Series["points"][number][] = [];
  for (let step = 0; step <= 40; step++) {
    const x = 2 * 10 ** (step / 10);
    const value = supportedQuantile(histogram, 1 - 1 / x);
    if (value === null) break;
    const tip = `${cell.contender}, ${percentileText(x)}: ${duration(value / 1e3)}`;
    points.push({ x, y: value / 1e3, low: null, high: null, tip, open: !isMeasured(cell) });
  }
  return { contender: cell.contender, mark: markOf(cell), points };
}

/** "p99.9" of 1,000: one in so many takes longer. */
function percentileText(oneIn: number): string {
  return `p${Number((100 * (1 - 1 / oneIn)).toFixed(oneIn < 200 ? 1 : 3))}`;
}

function valueAt(histogram: Histogram | undefined, q: number): TableValue {
  const value = histogram === undefined ? null : supportedQuantile(histogram, q);
  return value === null ? { text: absent } : { text: duration(value / 1e3), value: value / 1e3 };
}

/** The curve is of all blocks together; how they vary is beside it. */
function intervalOverBlocks(cell: Cell): Pick<TableValue, "beside"> {
  const found = figure(cell, "latencyP99");
  return found === undefined ? {} : { beside: intervalWords(found, duration) };
}

function summary({ contender }: Cell, histogram: Histogram): string {
  return `${contender} p50 ${valueAt(histogram, 0.5).text}, p99 ${valueAt(histogram, 0.99).text}`;
}
