// The table that ends a run, for a terminal of a given width: sorted by server CPU a message, what
// could not be measured below with its reason, then a verdict and what is not to be trusted.

import type { Cell, Status } from "../model/results.ts";
import { type ColumnName, columnsOf, columnText, wordsIn } from "./columns.ts";
import { shortCount } from "./format.ts";
import type { Group } from "./groups.ts";
import { noFiles, type ReportFormat, type TerminalOptions } from "./rendering.ts";
import type { GroupReport, Report } from "./report.ts";
import { joined, plain } from "./sentence.ts";
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
import { cautionSentence, reasonOf, untouchedText } from "./words.ts";

/** The final table of a run, its verdict and its cautions. */
export function renderTerminal(report: Report, { colour, width }: TerminalOptions): string {
  const canvas = { width, paint: painter(colour), reference: report.results.reference };
  const { groups, untouched } = report;
  const left = untouched.length === 0 ? [] : [wrap(untouchedText(untouched), width, "  ")];
  if (groups.length === 0) return ["Nothing was measured.", ...left.flat()].join("\n");
  const tables = [...groups.map((group) => groupLines(group, canvas)), ...left]
    .map((lines) => lines.join("\n"))
    .join("\n\n");
  // One table has its verdict below it; of several, the one that matters most is said last.
  return groups.length === 1 ? tables : `${tables}\n\n${summary(report, canvas)}`;
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

function groupLines(group: GroupReport, canvas: Canvas): string[] {
  const { width, paint } = canvas;
  const sentences = [plain(joined(group.verdict, " ")), group.integrity];
  const notes = group.cautions.map((caution) => `! ${plain(cautionSentence(caution))}`);
  return [
    ...wrap(group.title, width).map((line) => paint(line, "bold")),
    "",
    ...measuredLines(group, canvas),
    ...otherLines(group, canvas),
    ...wholeLines(group, canvas),
    "",
    ...sentences.flatMap((text) => (text === "" ? [] : wrap(text, width))),
    ...notes.flatMap((text) => wrap(text, width, "  ").map((line) => paint(line, "yellow"))),
  ];
}

function summary({ headline, scaleTitle }: Report, { width, paint }: Canvas): string {
  const lines = wrap(`${scaleTitle}. ${plain(headline)}`, width);
  return [paint("In short", "bold"), "", ...lines].join("\n");
}

/** How much a table shows; the first layout that fits is taken. */
interface Layout {
  readonly size: keyof typeof layoutDashes;
  readonly gap: number;
}

const layouts: readonly Layout[] = [
  { size: "wide", gap: 2 },
  { size: "compact", gap: 2 },
  { size: "compact", gap: 1 },
  { size: "narrow", gap: 2 },
  { size: "narrow", gap: 1 },
];
const layoutDashes = { wide: " … ", compact: "–", narrow: null } as const;
const leftOutWhenNarrow: readonly ColumnName[] = ["serverCpuPercent", "messages", "mismatches"];

function measuredLines(group: Group, { width, paint, reference }: Canvas): string[] {
  if (group.measured.length === 0) return ["No contender could be measured."];
  const tables = layouts.map(({ size, gap }) => ({
    gap,
    columns: [nameColumn(reference), ...shownColumns(group, size, reference)],
  }));
  const fitting = tables.find(
    ({ columns, gap }) => tableWidth(columns, group.measured, gap) <= width,
  );
  const { columns = [], gap = 1 } = fitting ?? tables.at(-1) ?? {};
  return tableLines(columns, group.measured, { gap, paint });
}

function shownColumns(group: Group, size: Layout["size"], reference: string): Column<Cell>[] {
  return columnsOf(group)
    .filter((name) => size !== "narrow" || !leftOutWhenNarrow.includes(name))
    .map((name) => ({
      title: titleOf(name, group, size),
      align: name === "status" ? "left" : "right",
      text: columnText(name, group, {
        reference,
        dash: layoutDashes[size],
        ...(size === "compact" ? { count: shortCount } : {}),
      }),
      style: (cell) => styleOf(name, cell),
    }));
}

type Title = readonly [string, string];

function titleOf(name: ColumnName, group: Group, size: Layout["size"]): Title {
  const titles: { readonly [N in ColumnName]: Title } = {
    cost: size === "narrow" ? ["CPU µs", "/message"] : ["server CPU", "µs a message"],
    headline: halves(wordsIn(group.measured, group.metric).title, "first"),
    ratio: ["ratio to", "reference"],
    latencyP50: ["", "p50"],
    latencyP99: ["", "p99"],
    serverCpuPercent: ["CPU", "%"],
    messages: ["", size === "wide" ? "messages" : "msgs"],
    mismatches: ["", size === "wide" ? "mismatches" : "wrong"],
    status: ["", "status"],
  };
  return titles[name];
}

function styleOf(name: ColumnName, cell: Cell): Style {
  if (name === "status") return statusStyle(cell.status);
  return name === "mismatches" && cell.mismatches > 0 ? "red" : "plain";
}

function otherLines(group: Group, { width, paint }: Canvas): string[] {
  const nameWidth = Math.max(
    ...[...group.measured, ...group.others].map((cell) => cell.contender.length),
  );
  const indent = " ".repeat(Math.min(nameWidth + 2, 30));
  return group.others.flatMap((cell) => {
    const name = cell.contender.padEnd(nameWidth);
    const [first = "", ...rest] = wrap(`${name}  ${reasonOf(cell)}`, width, indent);
    // Painted after the wrapping, which counts characters.
    return [first.replace(cell.status, paint(cell.status, statusStyle(cell.status))), ...rest];
  });
}

function nameColumn(reference: string): Column<Cell> {
  return {
    title: ["", "contender"],
    align: "left",
    text: (cell) => cell.contender,
    style: (cell) => (cell.contender === reference ? "bold" : "plain"),
  };
}

function statusStyle(status: Status): Style {
  if (status === "ok") return "green";
  return status === "failed" ? "red" : "yellow";
}
