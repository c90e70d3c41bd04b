// What ends a run, for a terminal of a given width: one table with bars if there is room, a line
// per other scale, two sentences, and how far to trust them. The page has everything else.

import type { Cell, Status } from "../model/results.ts";
import { callSentence, countedCells } from "./call-words.ts";
import { cautionSentence } from "./caution-words.ts";
import { type Caution, isSaturated } from "./cautions.ts";
import { type ColumnName, columnsOf, columnText, wordsIn } from "./columns.ts";
import { plainLine, plural } from "./format.ts";
import { figure, type Group } from "./groups.ts";
import { shareSentence } from "./profile-words.ts";
import { noFiles, type ReportFormat, type TerminalOptions } from "./rendering.ts";
import type { GroupReport, Report } from "./report.ts";
import { plain } from "./sentence.ts";
import { wholeLines } from "./terminal-whole.ts";
import {
  type Column,
  halves,
  type Paint,
  painter,
  type Style,
  tableLines,
  tableWidth,
  wrap,
} from "./text-table.ts";
import { confidenceTitle, lowReason, reasonOf, untouchedText } from "./words.ts";

/** The table of the scale that matters most, a line per other scale, the verdict, confidence. */
export function renderTerminal(report: Report, { colour, width }: TerminalOptions): string {
  const canvas = { width, paint: painter(colour), reference: report.results.reference };
  const { groups, untouched, opening } = report;
  const left = untouched.length === 0 ? [] : wrap(untouchedText(untouched), width, "  ");
  if (opening === undefined) return ["Nothing was measured.", ...left].join("\n");
  const others = groups.filter((group) => group !== opening);
  const shown = others.length <= mostScales ? others : onePerWorkload(others, opening);
  const more = others.length - shown.length;
  // A page of tables of other workloads would hide the one table that the run is about.
  const whole = more === 0;
  const parts = [
    tableOf(opening, canvas),
    wholeLines(opening, canvas),
    shown.flatMap((group) => [
      ...otherScale(group, canvas),
      ...(whole ? wholeLines(group, canvas) : []),
    ]),
    more === 0 ? [] : [`${plural(more, "more scale")} in the report.`],
    left,
    ...passLines(report, canvas),
    verdictLines(report, opening, canvas),
  ];
  const blocks = parts.map((lines) => lines.join("\n")).filter((text) => text !== "");
  return blocks.join("\n\n").replace(/\n{3,}/g, "\n\n");
}

/** System calls by name, and where CPU time goes, a line per contender. */
function passLines({ results }: Report, { width, paint }: Canvas): string[][] {
  const { cpuProfiles = [] } = results;
  const passes = [
    {
      title: "System calls",
      rows: countedCells(results).map((cell) =>
        plainLine(`${cell.contender}: ${callSentence(cell)}`),
      ),
    },
    {
      title: "CPU time",
      rows: cpuProfiles.map((one) => plainLine(`${one.contender}: ${shareSentence(one)}`)),
    },
  ].filter(({ rows }) => rows.length > 0);
  return passes.map(({ title, rows }) => [
    paint(title, "bold"),
    ...rows.flatMap((row) => wrap(row, width, "  ")),
  ]);
}

/** Of more scales than these, one per workload is shown. */
const mostScales = 6;

function onePerWorkload(groups: readonly GroupReport[], { workload: own }: Group): GroupReport[] {
  return groups.filter(
    ({ workload }, index) =>
      workload !== own && groups.findIndex((one) => one.workload === workload) === index,
  );
}

export const terminal: ReportFormat = {
  name: "terminal",
  text: renderTerminal,
  files: () => noFiles,
};

interface Canvas {
  readonly width: number;
  readonly paint: Paint;
  readonly reference: string;
}

function tableOf(group: GroupReport, canvas: Canvas): string[] {
  const { width, paint } = canvas;
  return [
    ...wrap(group.title, width).map((line) => paint(line, "bold")),
    "",
    ...measuredLines(group, canvas),
    ...otherLines(group, canvas),
  ];
}

/** Another scale or workload: its name, then the best and the last of it. */
function otherScale(group: GroupReport, { width, paint }: Canvas): string[] {
  const title = wrap(group.title, width).map((line) => paint(line, "dim"));
  const said = group.verdict.slice(0, 2).map(plain).join(" ");
  const text = group.measured.length === 0 ? "No contender could be measured." : said;
  const lines = wrap(text, width - 2).map((line) => `  ${line}`);
  return [...title, ...lines];
}

/** Two sentences, the errors, and how far to trust the table. */
function verdictLines(report: Report, opening: GroupReport, { width, paint }: Canvas): string[] {
  const { sentences, confidence } = report;
  const doubts = confidence.cautions.filter(isWeighty);
  const notes = doubts.map((caution) => `! ${plain(cautionSentence(caution))}`);
  const why = lowReason(confidence);
  const level = `${confidenceTitle(confidence)}${why === "" ? "" : ` (low: ${why})`}.`;
  return [
    ...wrap(sentences.slice(0, 2).map(plain).join(" "), width),
    ...(opening.integrity === "" ? [] : wrap(opening.integrity, width)),
    ...wrap(level, width).map((line) => paint(line, levelStyles[confidence.level])),
    ...notes.flatMap((text) => wrap(text, width, "  ").map((line) => paint(line, "yellow"))),
  ];
}

/** What changes how the ratios are to be read; the page has the others. */
function isWeighty(caution: Caution): boolean {
  if (caution.code === "few-blocks") return caution.ratios;
  return weighty.includes(caution.code);
}

const weighty: readonly Caution["code"][] = [
  ...(["interrupted", "one-core", "one-block", "machine-busy", "hurried"] as const),
];

const levelStyles = { sound: "green", careful: "yellow", broken: "red" } as const;

/** How much a table shows; the first layout that fits is taken. */
interface Layout {
  /** Of the figure that the table is about, of p99 and of the ratio. */
  readonly intervals: boolean;
  readonly latencyIntervals: boolean;
  /** Default: true. */
  readonly ratioIntervals?: boolean;
  readonly leftOut?: readonly ColumnName[];
  /** Whether the status is one word. */
  readonly short?: boolean;
  readonly gap: number;
}

/** p99 keeps its interval for longer than other columns stay, and the ratio longest. */
const layouts: readonly Layout[] = [
  { intervals: true, latencyIntervals: true, gap: 2 },
  { intervals: true, latencyIntervals: true, gap: 1 },
  { intervals: true, latencyIntervals: true, leftOut: ["serverCpuPercent"], gap: 1 },
  { intervals: false, latencyIntervals: true, leftOut: ["serverCpuPercent"], gap: 1 },
  ...[true, false].flatMap((latencyIntervals) =>
    [2, 1].map((gap) => ({
      ...{ intervals: false, latencyIntervals, gap, short: true },
      leftOut: ["serverCpuPercent", "latencyP50"] as const,
    })),
  ),
  {
    ...{ intervals: false, latencyIntervals: false, ratioIntervals: false, gap: 1, short: true },
    leftOut: ["serverCpuPercent", "latencyP50"],
  },
];

function measuredLines(group: Group, canvas: Canvas): string[] {
  const { width, paint } = canvas;
  if (group.measured.length === 0) return ["No contender could be measured."];
  const tables = layouts.map((layout) => ({
    layout,
    columns: shownColumns(group, layout, canvas),
  }));
  const fitting = tables.find(
    ({ columns, layout }) => tableWidth(columns, group.measured, layout.gap) <= width,
  );
  const { columns, layout } = fitting ?? tables[tables.length - 1] ?? { columns: [], layout: null };
  const gap = layout?.gap ?? 1;
  const [name, ...rest] = columns;
  const room = width - tableWidth(columns, group.measured, gap) - gap;
  const bars = name !== undefined && room >= shortestBar ? [barColumn(group, room)] : [];
  const all = name === undefined ? [] : [name, ...bars, ...rest];
  return tableLines(all, group.measured, { gap, paint });
}

/** In columns of the terminal; longer ones say no more. */
const [shortestBar, longestBar] = [8, 32];

/** The metric that the group is about as a bar from zero, in eighths of a column. */
function barColumn({ measured, metric }: Group, room: number): Column<Cell> {
  const length = Math.min(room, longestBar);
  const heightOf = (cell: Cell) => figure(cell, metric)?.median ?? 0;
  const most = Math.max(...measured.map(heightOf));
  return {
    title: ["", ""],
    align: "left",
    text: (cell) => bar(most > 0 ? (length * Math.max(0, heightOf(cell))) / most : 0),
    style: (cell) => (isSaturated(cell) ? "dim" : "plain"),
  };
}

function bar(columns: number): string {
  const eighths = Math.round(columns * 8);
  return "█".repeat(Math.floor(eighths / 8)) + ("▏▎▍▌▋▊▉"[(eighths % 8) - 1] ?? "");
}

function shownColumns(group: Group, layout: Layout, { reference }: Canvas): Column<Cell>[] {
  const { leftOut = [], short = false, ...intervals } = layout;
  const options = { reference, ...intervals, shortStatus: short };
  const columns = columnsOf(group)
    .filter((name) => !leftOut.includes(name))
    .map((name) => ({
      title: titleOf(name, group, layout),
      align: name === "status" ? ("left" as const) : ("right" as const),
      text: columnText(name, group, options),
      style: (cell: Cell) => styleOf(name, cell),
    }));
  return [nameColumn(reference), ...columns];
}

type Title = readonly [string, string];

function titleOf(name: ColumnName, group: Group, { intervals, short = false }: Layout): Title {
  const titles: { readonly [N in ColumnName]: Title } = {
    cost: intervals ? ["server CPU", "µs per message"] : ["CPU", "µs/msg"],
    headline: halves(wordsIn(group.measured, group.metric).title, "first"),
    ratio: ["ratio to", "reference"],
    latencyP50: ["", "p50"],
    latencyP99: ["", "p99"],
    serverCpuPercent: ["CPU", "%"],
    mismatches: ["", "wrong"],
    status: ["", short ? "grade" : "status"],
  };
  return titles[name];
}

function styleOf(name: ColumnName, cell: Cell): Style {
  if (name === "status") {
    return cell.confidence?.grade === "low" && cell.status === "ok"
      ? "yellow"
      : statusStyle(cell.status);
  }
  return name === "mismatches" && cell.mismatches > 0 ? "red" : "plain";
}

function otherLines(group: Group, { width, paint }: Canvas): string[] {
  const nameWidth = Math.max(
    ...[...group.measured, ...group.others].map((cell) => cell.contender.length),
  );
  const indent = " ".repeat(Math.min(nameWidth + 2, 30));
  return group.others.flatMap((cell) => {
    const name = plainLine(cell.contender).padEnd(nameWidth);
    const [first = "", ...rest] = wrap(`${name}  ${reasonOf(cell)}`, width, indent);
    // Painted after the wrapping, which counts characters.
    return [first.replace(cell.status, paint(cell.status, statusStyle(cell.status))), ...rest];
  });
}

function nameColumn(reference: string): Column<Cell> {
  return {
    title: ["", "contender"],
    align: "left",
    text: (cell) => plainLine(cell.contender),
    style: (cell) => (cell.contender === reference ? "bold" : "plain"),
  };
}

function statusStyle(status: Status): Style {
  if (status === "ok") return "green";
  return status === "failed" ? "red" : "yellow";
}
