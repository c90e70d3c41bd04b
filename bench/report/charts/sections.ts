// The parts of the report that are charts, in the order in which a reader asks: cost, load,
// latency, causes, crossover, memory, idle cost, whatever else was measured, the run itself. What
// was not measured is left out.

import { metricRow } from "../../model/metrics.ts";
import type { Cell, Results } from "../../model/results.ts";
import { blockingHandler } from "../../model/workloads/blocking-handler.ts";
import { workloadRow } from "../../model/workloads/catalogue.ts";
import { replicas } from "../../model/workloads/replicas.ts";
import { blockingSentence } from "../blocking-words.ts";
import { whyOf } from "../causes.ts";
import { judgedClaims } from "../claims.ts";
import { type Group, groupCells, headlineFirst, headlineGroup } from "../groups.ts";
import { idleSentence } from "../idle-words.ts";
import { kneesOf } from "../knee.ts";
import { identifier } from "../markup.ts";
import { workloadWords } from "../metric-words.ts";
import { addressSentences } from "../replicas-words.ts";
import type { Chart, Section } from "./chart.ts";
import { costChart } from "./cost.ts";
import { growthCharts } from "./growth.ts";
import { latencyChart } from "./latency.ts";
import { memoryChart } from "./memory.ts";
import { metricChart } from "./metric.ts";
import { percentileChart } from "./percentiles.ts";
import { timelineChart } from "./timeline.ts";
import { rawTable } from "./whole.ts";

/** Sections that have at least one chart. */
export function sectionsOf(results: Results): Section[] {
  const groups = groupCells(results);
  const of = (workload: string) => groups.filter((group) => group.workload === workload);
  const idle = headlineFirst(of("idle"));
  const why = whySection(headlineGroup(groups));
  // After the cost that it explains, which of other workloads stands in their own section.
  const echoes = of("echo-rate").length > 0;
  const own = new Set(["echo-rate", "latency-against-load", "active-fraction", "memory", "idle"]);
  const rest = [...new Set(groups.map(({ workload }) => workload))].filter(
    (name) => !own.has(name),
  );
  const sections = [
    cpuSection(acrossHeadline(of("echo-rate")), results),
    peersSection(acrossHeadline(of("echo-rate")), results),
    loadSection(results),
    latencySection(acrossHeadline(of("echo-rate")), results),
    ...(echoes ? [why] : []),
    crossoverSection(of("active-fraction"), results),
    workloadSection("memory", of("memory"), results),
    { ...workloadSection("idle", idle, results), summary: idleSentence(idle[0]) },
    ...rest.map((name) => ({
      ...workloadSection(name, headlineFirst(of(name)), results),
      ...(name === blockingHandler.name ? { summary: blockingSentence(of(name)) } : {}),
    })),
    ...(echoes ? [] : [why]),
    claimsSection(results),
    timelineSection(results),
  ];
  return sections.filter(
    ({ charts, whole, why = [] }) => charts.length > 0 || whole !== undefined || why.length > 0,
  );
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
  const [first, ...others] = groups.map((group) => costChart(group, reference));
  const lead =
    "Every server gets the same messages at the same times, so the CPU time that each spends per " +
    "message is what its strategy costs. Ratios are to the reference within the same block; if " +
    "the interval holds 1, the difference is not significant.";
  return {
    id: "cpu",
    title: "CPU per message",
    lead: mostArePeers(groups[0]) ? `${lead} ${peersLead}` : lead,
    charts: [
      first,
      ...growthCharts(cells, { over: "connections", metric: "serverCpuPerMessage" }).slice(0, 1),
      ...growthCharts(cells, { over: "payloadBytes", metric: "serverCpuPerMessage" }).slice(0, 1),
      ...others,
    ].filter(isChart),
  };
}

const peersLead =
  "Echo servers in other languages and on other libraries are each written as their " +
  "documentation suggests, with back-pressure. Their figures include their language's runtime; " +
  "what each does differently is in the settings.";

const isPeer = ({ runtime }: Cell) => runtime === "peer";

/** Then the chart of all contenders shows what a chart of the peers would. */
function mostArePeers({ measured }: Pick<Group, "measured"> = { measured: [] }): boolean {
  return 2 * measured.filter(isPeer).length > measured.length;
}

/** The peers with the reference alone. Empty in a run without any, and in one of little else. */
function peersSection(groups: readonly Group[], { reference }: Results): Section {
  const kept = (cell: Cell) => isPeer(cell) || cell.contender === reference;
  const charts = groups
    .filter(({ measured, others }) => [...measured, ...others].some(isPeer))
    .map((group) => {
      const { measured, others } = group;
      const part = { ...group, measured: measured.filter(kept), others: others.filter(kept) };
      return costChart(part, reference);
    })
    .filter(isChart);
  return {
    id: "peers",
    title: "Compared with servers in other languages",
    lead: peersLead,
    charts: mostArePeers(groups[0])
      ? []
      : charts.map((chart) => ({ ...chart, id: `peers-${chart.id}` })),
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
      ...headlineFirst(groups).map((group) => costChart(group, reference)),
    ].filter(isChart),
  };
}

function latencySection(groups: readonly Group[], { reference }: Results): Section {
  return {
    id: "latency",
    title: "Latency",
    lead:
      "Latency counts from when a message was due, so a server that stalls is charged for every " +
      "message that had to wait. p99.9 requires 10,000 samples.",
    charts: [
      ...groups.slice(0, 1).map((group) => percentileChart(group)),
      ...groups.map((group) => latencyChart(group, reference)),
    ].filter(isChart),
  };
}

/** Each server at parts of its own capacity. */
function loadSection({ cells }: Results): Section {
  const shares = cells.filter(({ capacityPercent }) => capacityPercent !== undefined);
  const { title, lead } = workloadWords("latency-against-load", shares);
  const knees = new Set(kneesOf(shares).map(({ cell }) => cell));
  const knee = (cell: Cell) => (knees.has(cell) ? "the knee" : null);
  const over = "capacityPercent";
  const [p99, ...others] = ["latencyP99", "latencyP50", "latencyP999", "serverCpuPerMessage"].map(
    (metric) =>
      growthCharts(shares, metric === "latencyP99" ? { over, metric, knee } : { over, metric })[0],
  );
  return {
    id: "load",
    title,
    lead: `${lead} A ring marks it.`,
    oneShown: true,
    charts: [p99, ...others].filter(isChart),
  };
}

function whySection(group: Group | undefined): Section {
  return {
    id: "why",
    title: "Why",
    lead:
      "What each strategy does per message at this scale. A figure that a server or the platform " +
      "does not report is missing.",
    charts: [],
    why: whyOf(group),
  };
}

function workloadSection(workload: string, groups: readonly Group[], results: Results): Section {
  const cells = groups.flatMap(({ measured, others }) => [...measured, ...others]);
  const { title, lead, charts: metrics, whole } = workloadWords(workload, cells);
  const price = workload === replicas.name ? addressSentences(groups) : "";
  const growth = metrics.flatMap((metric) =>
    growthCharts(cells, { over: "connections", metric }).slice(0, 1),
  );
  const charts = groups.flatMap((group) => chartsOf(group, metrics, results));
  // The first shows the largest scale; what is the same for all scales stands right below.
  return {
    id: identifier("workload", workload),
    title,
    lead: price === "" ? lead : `${lead} ${price}`,
    charts: [...charts.slice(0, 1), ...growth, ...charts.slice(1)],
    ...(whole ? { whole: rawTable(cells) } : {}),
  };
}

function isBounded(metric: string): boolean {
  return metricRow(metric)?.bound !== undefined;
}

function chartsOf(group: Group, metrics: readonly string[], { reference }: Results): Chart[] {
  const inMemory = metrics.includes("kernelBytesPerConnection");
  const memory = inMemory ? [memoryChart(group, reference)] : [];
  const holds = workloadRow(group.workload)?.regime === "scale";
  const spread = holds ? [percentileChart(group)] : [];
  const others = metrics
    .filter((metric) => !inMemory || !metric.endsWith("BytesPerConnection"))
    // Of two that have the same lower bound, the one that the cells are about.
    .filter((metric) => metric === group.metric || !isBounded(metric) || !isBounded(group.metric))
    .map((metric) =>
      metric.startsWith("serverCpuPer") && group.metric === metric
        ? costChart(group, reference)
        : metricChart(group, metric, reference),
    );
  return [...memory, ...spread, ...others].filter(isChart);
}

/** Where a run decides most of them, as `full` does. */
function claimsSection(results: Results): Section {
  const rows = judgedClaims(results);
  const decided = rows.filter(({ judged }) => judged.judgement !== "not measured");
  const table = {
    columns: ["claim", "result", "figures", "tested by", "source"],
    rows: rows.map(({ claim: { claim, source, tested }, judged: { judgement, figures } }) => ({
      name: claim,
      values: [judgement, figures, tested, source].map((text) => ({ text })),
    })),
  };
  return {
    id: "claims",
    title: "Claims of the literature, tested",
    lead:
      "Each claim with the cell of this run that tests it. It is not resolved if the 95 % " +
      "interval holds the bound, or if a ratio is a tie or that of a saturated server.",
    charts: [],
    ...(2 * decided.length > rows.length ? { whole: table, words: true } : {}),
  };
}

function timelineSection(results: Results): Section {
  return {
    id: "timeline",
    title: "The run",
    lead:
      "Blocks run all contenders in a seeded order, so that a disturbance affects all equally. " +
      "Rounds are discarded if other programs kept the machine busy.",
    charts: [timelineChart(results)].filter(isChart),
  };
}

function isChart(chart: Chart | undefined): chart is Chart {
  return chart !== undefined;
}
