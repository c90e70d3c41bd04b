// report.md: the same tables, verdicts and cautions as the terminal, and what a sceptic asks next:
// what else was seen, how it was measured, on what, and the command that measures it again.
// GitHub-flavoured Markdown.

import type { Cell, Results } from "../model/results.ts";
import { runtimeRow } from "../model/runtimes.ts";
import { callLead, callSentence, callTable, countedCells } from "./call-words.ts";
import { cautionSentence } from "./caution-words.ts";
import type { ChartTable } from "./charts/chart.ts";
import {
  type ColumnName,
  columnsOf,
  columnText,
  factNames,
  furtherMetrics,
  furtherText,
  wordsIn,
} from "./columns.ts";
import { absent, count, freeValue, plainLine, words } from "./format.ts";
import { isLatency } from "./groups.ts";
import { machineBlocks, ownProperties } from "./machines.ts";
import { factTitle } from "./metric-words.ts";
import { profileLead, shareSentence, shareTable } from "./profile-words.ts";
import type { ReportFormat } from "./rendering.ts";
import type { GroupReport, Report } from "./report.ts";
import { reproduceCommand } from "./reproduce.ts";
import { joined, plain } from "./sentence.ts";
import { wrap } from "./text-table.ts";
import {
  confidenceTitle,
  methodText,
  reasonOf,
  statusMeanings,
  untouchedText,
  windowsSentence,
} from "./words.ts";

/** The whole report. */
export function renderMarkdown(report: Report): string {
  const { results, groups, untouched } = report;
  return `${[
    ...headLines(report),
    ...(untouched.length === 0 ? [] : [escaped(untouchedText(untouched)), ""]),
    ...groups.flatMap((group) => groupLines(group, results.reference)),
    ...callLines(results),
    ...profileLines(results),
    ...(groups.length === 0 ? ["Nothing was measured.", ""] : []),
    ...methodLines(results),
    ...environmentLines(results),
    ...reproduceLines(results),
    ...legendLines(),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

export const markdown: ReportFormat = {
  name: "markdown",
  text: renderMarkdown,
  files: (report) => new Map([["report.md", renderMarkdown(report)]]),
};

function headLines(report: Report): string[] {
  const { profile, startedAt, complete } = report.results;
  const started = startedAt.slice(0, 16).replace("T", " ");
  return [
    `# io-selectors: profile ${escaped(profile)}, ${escaped(started)} UTC`,
    "",
    ...(complete ? [] : ["**Interrupted: this is what was measured until then.**", ""]),
    ...(report.groups.length > 1 ? summaryLines(report) : []),
  ];
}

/** Of several tables: the verdict of the largest scale, and how far to trust it all. */
function summaryLines({ headline, scaleTitle, confidence, machine }: Report): string[] {
  return [
    `**${escaped(plain(headline))}** (${escaped(scaleTitle)})`,
    "",
    `${escaped(confidenceTitle(confidence))}. ${escaped(plain(windowsSentence(confidence)))}`,
    ...(machine === "" ? [] : [`Measured on ${escaped(machine)}.`]),
    "",
  ];
}

function groupLines(group: GroupReport, reference: string): string[] {
  return [
    `## ${escaped(group.title)}`,
    "",
    escaped([plain(joined(group.verdict, " ")), group.integrity].join(" ")),
    "",
    ...measuredLines(group, reference),
    ...otherLines(group),
    ...group.cautions.map((caution) => `- ${escaped(plain(cautionSentence(caution)))}`),
    "",
    ...furtherLines(group),
  ];
}

function measuredLines(group: GroupReport, reference: string): string[] {
  if (group.measured.length === 0) return ["No contender could be measured.", ""];
  const columns = columnsOf(group).map((name) => ({
    title: titleOf(name, group),
    text: columnText(name, group, { reference, intervals: true, latencyIntervals: true }),
  }));
  return [
    ...table(
      ["contender", ...columns.map(({ title }) => escaped(title))],
      group.measured.map((cell) => [
        cell.contender === reference ? `**${escaped(cell.contender)}**` : escaped(cell.contender),
        ...columns.map(({ text }) => escaped(text(cell))),
      ]),
    ),
    "",
  ];
}

function titleOf(name: ColumnName, { metric, measured }: GroupReport): string {
  const titles: { readonly [N in ColumnName]: string } = {
    cost: "server CPU, µs per message [95 %]",
    headline: `${wordsIn(measured, metric).title} [95 %]`,
    ratio: "ratio to reference [95 %]",
    latencyP50: "p50",
    latencyP99: "p99 [95 %]",
    serverCpuPercent: "server CPU %",
    mismatches: "mismatches",
    status: "status",
  };
  return titles[name];
}

function otherLines(group: GroupReport): string[] {
  if (group.others.length === 0) return [];
  const rows = group.others.map((cell) => [escaped(cell.contender), escaped(reasonOf(cell))]);
  return [...table(["not in the table", "why"], rows), ""];
}

/** What else was measured; a column only if some contender has it. */
function furtherLines(group: GroupReport): string[] {
  const cells = [...group.measured, ...group.others].filter((cell) => cell.blocks > 0);
  const names = furtherMetrics(cells, [group.metric, ...alwaysShown]);
  if (names.length === 0) return [];
  const facts = factNames(cells);
  const columns = names.map((name) => ({ name, ...wordsIn(cells, name) }));
  return [
    `<details${facts.length > 0 ? " open" : ""}><summary>Further figures</summary>`,
    "",
    ...table(
      [
        "contender",
        ...[...columns.map(({ title }) => title), ...facts.map(factTitle)].map(escaped),
        ...["blocks", "discarded windows"],
      ],
      cells.map((cell) => [
        escaped(cell.contender) + engineText(cell),
        ...columns.map(({ name, format }) => escaped(furtherText(cell, name, format))),
        ...facts.map((name) => escaped(cell.facts?.[name] ?? absent)),
        count(cell.blocks),
        count(cell.dropped),
      ]),
    ),
    "",
    ...(names.some(isLatency)
      ? [
          "Latency counts from the intended send time, *uncorrected* from the actual one. p99.9",
          "needs 10,000 samples.",
          "",
        ]
      : []),
    "</details>",
    "",
  ];
}

const alwaysShown = ["ratioToReference", "latencyP50", "latencyP99", "serverCpuPercent"];

function engineText({ runtime }: Cell): string {
  return runtimeRow(runtime).engine === null ? "" : " (runtime included)";
}

function callLines(results: Results): string[] {
  const cells = countedCells(results);
  if (cells.length === 0) return [];
  const missing = cells.filter(({ callCounts }) => callCounts.reason !== null);
  return passLines(
    { title: "System calls by name", lead: callLead(cells), table: callTable(cells) },
    missing.map((cell) => `${cell.contender}: ${callSentence(cell)}`),
  );
}

function profileLines({ cpuProfiles = [] }: Results): string[] {
  if (cpuProfiles.length === 0) return [];
  const missing = cpuProfiles.filter(({ reason }) => reason !== null);
  const lead = profileLead(cpuProfiles);
  return [
    ...passLines(
      { title: "Where CPU time goes", lead, table: shareTable(cpuProfiles) },
      missing.map((one) => `${one.contender}: ${shareSentence(one)}`),
    ),
    "The stacks are in `profiles/*.folded`.",
    "",
  ];
}

interface PassTable {
  readonly title: string;
  readonly lead: string;
  readonly table: ChartTable;
}

/** What a pass after the rounds found, and why some contenders are missing. */
function passLines({ title, lead, table: shown }: PassTable, missing: readonly string[]): string[] {
  const rows = shown.rows.map(({ name, values }) => [name, ...values.map(({ text }) => text)]);
  return [
    `## ${title}`,
    "",
    ...wrap(escaped(lead), 94),
    "",
    ...table(
      shown.columns.map(escaped),
      rows.map((fields) => fields.map(escaped)),
    ),
    "",
    ...missing.map((line) => `- ${escaped(line)}`),
    ...(missing.length > 0 ? [""] : []),
  ];
}

function methodLines(results: Results): string[] {
  const settings = Object.entries(results.settings).filter(([name]) => name !== "options");
  return [
    "## How it was measured",
    "",
    ...wrap(methodText, 94),
    "",
    ...(settings.length === 0 ? [] : [...propertyTable("setting", settings), ""]),
  ];
}

function environmentLines(results: Results): string[] {
  return [
    "## Environment",
    "",
    "Runs with equal fingerprints can be compared.",
    "",
    ...propertyTable("property", ownProperties(results.environment)),
    "",
    ...machineBlocks(results.environment).flatMap(({ title, entries }) => [
      `### ${escaped(title)}`,
      "",
      ...propertyTable("property", entries),
      "",
    ]),
  ];
}

function reproduceLines(results: Results): string[] {
  const { commit, clean } = results.environment as { commit?: unknown; clean?: unknown };
  const state = clean === false ? ", with changes that were not committed" : "";
  const at = typeof commit === "string" ? ` At commit ${escaped(commit)}${state}:` : "";
  return [
    "## Again",
    "",
    `Same seed, same order of blocks.${at}`,
    "",
    "```sh",
    reproduceCommand(results),
    "```",
    "",
  ];
}

function legendLines(): string[] {
  return [
    "## Status words",
    "",
    ...statusMeanings.map(([word, meaning]) => `- **${word}**: ${meaning}`),
  ];
}

function propertyTable(title: string, entries: readonly (readonly [string, unknown])[]): string[] {
  return table(
    [title, "value"],
    entries.map(([name, value]) => [escaped(words(name)), escaped(freeValue(name, value))]),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (fields: readonly string[]) => `| ${fields.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)];
}

/** Foreign text must neither end a table's field nor become markup. */
function escaped(text: string): string {
  return plainLine(text).replace(/[\\|`<*]|\](?=\()/g, (character) => `\\${character}`);
}
