// The table that ends a run, for a terminal of a given width: sorted by server CPU a message, what
// could not be measured below with its reason, then a verdict and what is not to be trusted.
// Enters: Results. Leaves: text without a trailing newline. Pure; the caller knows the terminal's
// width and colour.

import type { Cell, Results, Status } from "../model/results.ts";
import { durationText, figureText, intervalText, ratioText, reasonOf } from "./cell-text.ts";
import { count, percent, shortCount, significant } from "./format.ts";
import { figure, type Group, groupCells, isUntouched, unitOf, untouchedText } from "./groups.ts";
import { headline, headlineGroup } from "./headline.ts";
import { metricWords } from "./metric-words.ts";
import { wholeLines } from "./terminal-whole.ts";
import {
  type Column,
  type Paint,
  painter,
  type Style,
  tableLines,
  tableWidth,
  wrap,
} from "./text-table.ts";
import { cautions, integrity, verdict } from "./verdict.ts";

export interface TerminalOptions {
  readonly colour: boolean;
  /**
   * Columns of the terminal. Everything fits in 80 or more, save names and words that are longer
   * themselves.
   */
  readonly width: number;
}

/** The final table of a run, its verdict and its cautions. */
export function renderTerminal(results: Results, options: TerminalOptions): string {
  const paint = painter(options.colour);
  const all = groupCells(results);
  const untouched = all.filter((group) => isUntouched(group, results));
  const groups = all.filter((group) => !untouched.includes(group));
  const left = untouched.length === 0 ? [] : wrap(untouchedText(untouched), options.width, "  ");
  if (groups.length === 0) return ["Nothing was measured.", ...left].join("\n");
  const tables = groups
    .map((group) => [
      ...wrap(group.title, options.width).map((line) => paint(line, "bold")),
      "",
      ...measuredLines(group, results, { ...options, paint }),
      ...otherLines(group, { ...options, paint }),
      ...wholeLines(group, { ...options, paint }),
      "",
      ...[verdict(group, results.reference).join(" "), integrity(group)].flatMap((text) =>
        text === "" ? [] : wrap(text, options.width),
      ),
      ...cautions(group, results).flatMap((text) => noteLines(text, { ...options, paint })),
    ])
    .concat(left.length === 0 ? [] : [left])
    .map((lines) => lines.join("\n"))
    .join("\n\n");
  // One table has its verdict below it; of several, the one that matters most is said last.
  return groups.length === 1 ? tables : `${tables}\n\n${summary(results, { ...options, paint })}`;
}

function summary(results: Results, { width, paint }: Canvas): string {
  const scale = headlineGroup(results)?.title ?? "";
  const lines = wrap(`${scale}. ${headline(results)}`, width);
  return [paint("In short", "bold"), "", ...lines].join("\n");
}

interface Canvas {
  readonly width: number;
  readonly paint: Paint;
}

/** How much a table shows; the first layout that fits is taken. */
interface Layout {
  readonly columns: (reference: string, group: Group) => Column<Cell>[];
  readonly gap: number;
}

const layouts: readonly Layout[] = [
  { columns: wideColumns, gap: 2 },
  { columns: compactColumns, gap: 2 },
  { columns: compactColumns, gap: 1 },
  { columns: narrowColumns, gap: 2 },
  { columns: narrowColumns, gap: 1 },
];

function measuredLines(group: Group, results: Results, { width, paint }: Canvas): string[] {
  if (group.measured.length === 0) return ["No contender could be measured."];
  const fitting = layouts.find(
    ({ columns, gap }) =>
      tableWidth(columns(results.reference, group), group.measured, gap) <= width,
  );
  const { columns, gap } = fitting ?? { columns: narrowColumns, gap: 1 };
  return tableLines(columns(results.reference, group), group.measured, { gap, paint });
}

function otherLines(group: Group, { width, paint }: Canvas): string[] {
  const nameWidth = Math.max(
    ...[...group.measured, ...group.others].map((cell) => cell.contender.length),
  );
  return group.others.flatMap((cell) => {
    const name = cell.contender.padEnd(nameWidth);
    const lines = wrap(
      `${name}  ${reasonOf(cell)}`,
      width,
      " ".repeat(Math.min(nameWidth + 2, 30)),
    );
    const [first = "", ...rest] = lines;
    // Painted after the wrapping, which counts characters.
    return [first.replace(cell.status, paint(cell.status, statusStyle(cell.status))), ...rest];
  });
}

function noteLines(text: string, { width, paint }: Canvas): string[] {
  return wrap(`! ${text}`, width, "  ").map((line) => paint(line, "yellow"));
}

function wideColumns(reference: string, group: Group): Column<Cell>[] {
  return [
    nameColumn(reference),
    headlineColumn(group, " … "),
    ...ratioColumns(reference, group, " … "),
    ...latencyColumns(group),
    ...cpuPercentColumns(group),
    ...messageColumns(group, { title: "messages", format: count, wrong: "mismatches" }),
    statusColumn,
  ];
}

function compactColumns(reference: string, group: Group): Column<Cell>[] {
  return [
    nameColumn(reference),
    headlineColumn(group, "–"),
    ...ratioColumns(reference, group, "–"),
    ...latencyColumns(group),
    ...cpuPercentColumns(group),
    ...messageColumns(group, { title: "msgs", format: shortCount, wrong: "wrong" }),
    statusColumn,
  ];
}

function narrowColumns(reference: string, group: Group): Column<Cell>[] {
  return [
    nameColumn(reference),
    narrowHeadline(group),
    ...ratioColumns(reference, group, "–"),
    ...latencyColumns(group),
    statusColumn,
  ];
}

function nameColumn(reference: string): Column<Cell> {
  return {
    title: ["", "contender"],
    align: "left",
    text: (cell) => cell.contender,
    style: (cell) => (cell.contender === reference ? "bold" : "plain"),
  };
}

function headlineColumn(group: Group, dash: string): Column<Cell> {
  const { metric } = group;
  if (metric !== "serverCpuPerMessage") return otherHeadline(group, dash);
  return {
    title: ["server CPU", "µs a message"],
    align: "right",
    text: (cell) => intervalText(cell, metric, { format: significant, dash }),
  };
}

function narrowHeadline(group: Group): Column<Cell> {
  const { metric } = group;
  if (metric !== "serverCpuPerMessage") return otherHeadline(group, null);
  return {
    title: ["CPU µs", "/message"],
    align: "right",
    text: (cell) => figureText(cell, metric, significant),
  };
}

/** @param dash null leaves the interval out. */
function otherHeadline({ metric, measured }: Group, dash: string | null): Column<Cell> {
  const first = measured.find((cell) => figure(cell, metric) !== undefined);
  const { title, format } = metricWords(metric, first === undefined ? "1" : unitOf(first, metric));
  const words = title.split(" ");
  const half = Math.ceil(words.length / 2);
  return {
    title: [words.slice(0, half).join(" "), words.slice(half).join(" ")],
    align: "right",
    text: (cell) =>
      dash === null
        ? figureText(cell, metric, format)
        : intervalText(cell, metric, { format, dash }),
  };
}

function ratioColumns(reference: string, group: Group, dash: string): Column<Cell>[] {
  if (!has(group, "ratioToReference")) return [];
  return [
    {
      title: ["ratio to", "reference"],
      align: "right",
      text: (cell) => ratioText(cell, reference, dash),
    },
  ];
}

function latencyColumns(group: Group): Column<Cell>[] {
  const columns: readonly [name: string, title: string][] = [
    ["latencyP50", "p50"],
    ["latencyP99", "p99"],
  ];
  return columns
    .filter(([name]) => name !== group.metric && has(group, name))
    .map(([name, title]) => ({
      title: ["", title],
      align: "right",
      text: (cell) => durationText(cell, name),
    }));
}

function cpuPercentColumns(group: Group): Column<Cell>[] {
  if (!has(group, "serverCpuPercent")) return [];
  return [
    {
      title: ["CPU", "%"],
      align: "right",
      text: (cell) => figureText(cell, "serverCpuPercent", percent),
    },
  ];
}

/** Whether a column would show anything. */
function has({ measured }: Group, name: string): boolean {
  return measured.some((cell) => figure(cell, name) !== undefined);
}

const statusColumn: Column<Cell> = {
  title: ["", "status"],
  align: "left",
  text: (cell) => cell.status,
  style: (cell) => statusStyle(cell.status),
};

interface MessageWords {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly wrong: string;
}

/** Of a workload that sends none, nothing. */
function messageColumns(
  { measured }: Group,
  { title, format, wrong }: MessageWords,
): Column<Cell>[] {
  if (measured.every(({ messages, mismatches }) => messages === 0 && mismatches === 0)) return [];
  return [
    { title: ["", title], align: "right", text: (cell) => format(cell.messages) },
    {
      title: ["", wrong],
      align: "right",
      text: (cell) => count(cell.mismatches),
      style: (cell) => (cell.mismatches > 0 ? "red" : "plain"),
    },
  ];
}

function statusStyle(status: Status): Style {
  if (status === "ok") return "green";
  return status === "failed" ? "red" : "yellow";
}
