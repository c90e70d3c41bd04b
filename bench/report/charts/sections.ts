// The parts of the report that are charts, in their order: CPU a message, the crossover, latency,
// memory, idle cost, whatever else was measured, the run itself. What was not measured is left out.
// Enters: Results. Leaves: Sections to html/page.ts and write.ts.

import type { Results } from "../../model/results.ts";
import { type Group, groupCells, headlineFirst } from "../groups.ts";
import { identifier } from "../markup.ts";
import { workloadWords } from "../metric-words.ts";
import type { Chart, Section } from "./chart.ts";
import { growthCharts } from "./growth.ts";
import { latencyChart } from "./latency.ts";
import { memoryChart } from "./memory.ts";
import { metricChart } from "./metric.ts";
import { ratioChart } from "./ratio.ts";
import { timelineChart } from "./timeline.ts";
import { rawTable } from "./whole.ts";

/** Sections that have at least one chart. */
export function sectionsOf(results: Results): Section[] {
  const groups = groupCells(results);
  const of = (workload: string) => groups.filter((group) => group.workload === workload);
  const own = new Set(["echo-rate", "active-fraction", "memory", "idle"]);
  const rest = [...new Set(groups.map(({ workload }) => workload))].filter(
    (name) => !own.has(name),
  );
  const sections = [
    cpuSection(acrossHeadline(of("echo-rate")), results),
    crossoverSection(of("active-fraction"), results),
    latencySection(acrossHeadline(of("echo-rate")), results),
    workloadSection("memory", of("memory"), results),
    workloadSection("idle", headlineFirst(of("idle")), results),
    ...rest.map((name) => workloadSection(name, headlineFirst(of(name)), results)),
    timelineSection(results),
  ];
  return sections.filter(({ charts, whole }) => charts.length > 0 || whole !== undefined);
}

/** Of a grid of scales larger than this only a cross is drawn; all of it is in the last tables. */
const wholeGrid = 8;

/** The headline's group first, then those that share its connections or its payload. */
function acrossHeadline(groups: readonly Group[]): Group[] {
  const [first, ...rest] = headlineFirst(groups);
  const at = first === undefined ? undefined : (first.measured[0] ?? first.others[0]);
  if (first === undefined || at === undefined || groups.length <= wholeGrid) {
    return first === undefined ? [] : [first, ...rest];
  }
  const near = rest.filter(({ measured, others }) => {
    const cell = measured[0] ?? others[0];
    return cell?.connections === at.connections || cell?.payloadBytes === at.payloadBytes;
  });
  return [first, ...near];
}

function cpuSection(groups: readonly Group[], { reference, cells: all }: Results): Section {
  const cells = all.filter(({ workload }) => workload === "echo-rate");
  const [first, ...others] = groups.map((group) => ratioChart(group, reference));
  return {
    id: "cpu",
    title: "CPU a message",
    lead:
      "Every server gets the same messages at the same times, so the CPU time that each spends " +
      "on one is what its strategy costs. Each is compared with the reference within the same " +
      "block; where a whisker crosses 1, the two are not told apart.",
    charts: [
      first,
      ...growthCharts(cells, { over: "connections", metric: "serverCpuPerMessage" }).slice(0, 1),
      ...growthCharts(cells, { over: "payloadBytes", metric: "serverCpuPerMessage" }).slice(0, 1),
      ...others,
    ].filter(isChart),
  };
}

function crossoverSection(groups: readonly Group[], { reference }: Results): Section {
  const cells = groups.flatMap(({ measured, others }) => [...measured, ...others]);
  const { title, lead } = workloadWords("active-fraction", cells);
  const metric = "serverCpuPerMessage";
  return {
    id: "crossover",
    title,
    lead,
    charts: [
      ...growthCharts(cells, { over: "activeConnections", metric }),
      ...growthCharts(cells, { over: "activeConnections", metric: "latencyP99" }),
      // Without a curve the first is what shows it: few of many, not the baseline.
      ...headlineFirst(groups).map((group) => ratioChart(group, reference)),
    ].filter(isChart),
  };
}

function latencySection(groups: readonly Group[], { reference }: Results): Section {
  return {
    id: "latency",
    title: "Latency",
    lead:
      "Counted from when a message was meant to be sent, so that a server that stalls is charged " +
      "for every message that had to wait. p99.9 stands only where there are 10,000 samples.",
    charts: groups.map((group) => latencyChart(group, reference)).filter(isChart),
  };
}

function workloadSection(workload: string, groups: readonly Group[], results: Results): Section {
  const cells = groups.flatMap(({ measured, others }) => [...measured, ...others]);
  const { title, lead, charts: metrics, whole } = workloadWords(workload, cells);
  const growth = metrics.flatMap((metric) =>
    growthCharts(cells, { over: "connections", metric }).slice(0, 1),
  );
  const charts = groups.flatMap((group) => chartsOf(group, metrics, results));
  // The first shows the largest scale; what is the same for all scales stands right below.
  return {
    id: identifier("workload", workload),
    title,
    lead,
    charts: [...charts.slice(0, 1), ...growth, ...charts.slice(1)],
    ...(whole ? { whole: rawTable(cells) } : {}),
  };
}

function chartsOf(group: Group, metrics: readonly string[], { reference }: Results): Chart[] {
  if (metrics.includes("kernelBytesPerConnection")) {
    return [memoryChart(group, reference)].filter(isChart);
  }
  return metrics
    .map((metric) =>
      metric.startsWith("serverCpuPer") && group.metric === metric
        ? ratioChart(group, reference)
        : metricChart(group, metric, { reference }),
    )
    .filter(isChart);
}

function timelineSection(results: Results): Section {
  return {
    id: "timeline",
    title: "The run",
    lead:
      "Blocks run all contenders in a seeded order, so that a disturbance meets all alike. A " +
      "round in which the machine was busy with something else does not count.",
    charts: [timelineChart(results)].filter(isChart),
  };
}

function isChart(chart: Chart | undefined): chart is Chart {
  return chart !== undefined;
}
