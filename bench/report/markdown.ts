// report.md: the same tables, verdicts and cautions as the terminal, and what a sceptic asks next:
// what else was seen, how it was measured, on what, and the command that measures it again.
// GitHub-flavoured Markdown. Enters: Results. Leaves: the file's text. Pure.

import type { Cell, MetricName, Results } from "../results.ts";
import { durationText, figureText, intervalText, ratioText, reasonOf } from "./cell-text.ts";
import { count, freeValue, percent, plainLine, significant, words } from "./format.ts";
import { figure, type Group, groupCells } from "./groups.ts";
import { cautions, includesRuntime, integrity, statusMeanings, verdict } from "./verdict.ts";

/** The whole report. */
export function renderMarkdown(results: Results): string {
  const groups = groupCells(results);
  return `${[
    ...headLines(results),
    ...groups.flatMap((group) => groupLines(group, results)),
    ...(groups.length === 0 ? ["Nothing was measured.", ""] : []),
    ...methodLines(results),
    ...environmentLines(results),
    ...reproduceLines(results),
    ...legendLines(),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

/**
 * The command line that runs the same again, from the profile, the seed and the options that were
 * given.
 */
export function reproduceCommand(results: Results): string {
  const given = results.settings["options"];
  const options = typeof given === "object" && given !== null ? Object.entries(given) : [];
  const own = new Set(["profile", "seed", "out"]);
  return [
    "npm run bench --",
    `--profile ${shellWord(results.profile)}`,
    `--seed ${results.seed}`,
    ...options
      .filter(([name, value]) => !own.has(name) && value !== null && value !== undefined)
      .map(
        ([name, value]) =>
          `--${name} ${shellWord(Array.isArray(value) ? value.join(",") : String(value))}`,
      ),
  ].join(" ");
}

function headLines(results: Results): string[] {
  const started = results.startedAt.slice(0, 16).replace("T", " ");
  return [
    `# io-selectors: profile ${escaped(results.profile)}, ${escaped(started)} UTC`,
    "",
    ...(results.complete ? [] : ["**Interrupted: this is what was measured until then.**", ""]),
  ];
}

function groupLines(group: Group, results: Results): string[] {
  return [
    `## ${escaped(group.title)}`,
    "",
    escaped([...verdict(group, results.reference), integrity(group)].join(" ")),
    "",
    ...measuredLines(group, results.reference),
    ...otherLines(group),
    ...cautions(group, results).map((text) => `- ${escaped(text)}`),
    "",
    ...furtherLines(group),
  ];
}

function measuredLines(group: Group, reference: string): string[] {
  if (group.measured.length === 0) return ["No contender could be measured.", ""];
  return [
    ...table(
      ["contender", ...measuredColumns.map(({ title }) => title)],
      group.measured.map((cell) => [
        cell.contender === reference ? `**${escaped(cell.contender)}**` : escaped(cell.contender),
        ...measuredColumns.map(({ text }) => escaped(text(cell, reference))),
      ]),
    ),
    "",
  ];
}

interface Field {
  readonly title: string;
  readonly text: (cell: Cell, reference: string) => string;
}

const measuredColumns: readonly Field[] = [
  {
    title: "server CPU, µs a message [95 %]",
    text: (cell) => intervalText(cell, "serverCpuPerMessage", { format: significant, dash: " … " }),
  },
  {
    title: "ratio to reference [95 %]",
    text: (cell, reference) => ratioText(cell, reference, " … "),
  },
  { title: "p50", text: (cell) => durationText(cell, "latencyP50") },
  { title: "p99", text: (cell) => durationText(cell, "latencyP99") },
  { title: "server CPU %", text: (cell) => figureText(cell, "serverCpuPercent", percent) },
  { title: "messages", text: (cell) => count(cell.messages) },
  { title: "mismatches", text: (cell) => count(cell.mismatches) },
  { title: "status", text: (cell) => cell.status },
];

function otherLines(group: Group): string[] {
  if (group.others.length === 0) return [];
  const rows = group.others.map((cell) => [escaped(cell.contender), escaped(reasonOf(cell))]);
  return [...table(["not in the table", "why"], rows), ""];
}

/** What else was measured; a column only where some contender has it. */
function furtherLines(group: Group): string[] {
  const cells = [...group.measured, ...group.others].filter((cell) => cell.blocks > 0);
  const columns = furtherColumns.filter(({ name }) => cells.some((cell) => figure(cell, name)));
  if (columns.length === 0) return [];
  return [
    "<details><summary>Further figures</summary>",
    "",
    ...table(
      ["contender", ...columns.map(({ title }) => title), "blocks", "dropped windows"],
      cells.map((cell) => [
        escaped(cell.contender) + (includesRuntime(cell.contender) ? " (runtime included)" : ""),
        ...columns.map(({ name, text }) => escaped(text(cell, name))),
        count(cell.blocks),
        count(cell.dropped),
      ]),
    ),
    "",
    "Latency counts from the intended send time, *uncorrected* from the actual one. p99.9 needs",
    "10,000 samples.",
    "",
    "</details>",
    "",
  ];
}

interface FurtherField {
  readonly title: string;
  readonly name: MetricName;
  readonly text: (cell: Cell, name: MetricName) => string;
}

const plain = (cell: Cell, name: MetricName) => figureText(cell, name, significant);
const share = (cell: Cell, name: MetricName) => figureText(cell, name, percent);

const furtherColumns: readonly FurtherField[] = [
  { title: "p90", name: "latencyP90", text: durationText },
  { title: "p99.9", name: "latencyP999", text: durationText },
  { title: "p50 uncorrected", name: "latencyP50Uncorrected", text: durationText },
  { title: "p99 uncorrected", name: "latencyP99Uncorrected", text: durationText },
  { title: "messages/s", name: "throughput", text: plain },
  { title: "user CPU %", name: "serverUserCpuPercent", text: share },
  { title: "system calls a message", name: "systemCallsPerMessage", text: plain },
  { title: "events a wait", name: "eventsPerWait", text: plain },
  { title: "context switches a message", name: "contextSwitchesPerMessage", text: plain },
  { title: "client CPU, µs a message", name: "clientCpuPerMessage", text: plain },
];

function methodLines(results: Results): string[] {
  const settings = Object.entries(results.settings).filter(([name]) => name !== "options");
  return [
    "## How it was measured",
    "",
    "Each contender is a process of its own, measured from outside, with the load generator on",
    "another CPU where there is one. Blocks run all contenders in a seeded order; the ratio is",
    "taken to the reference within the block, and the figures are medians over blocks with a 95 %",
    "bootstrap interval. Two are ranked only where the interval of their ratio excludes 1.",
    "",
    ...(settings.length === 0 ? [] : [...propertyTable("setting", settings), ""]),
  ];
}

function environmentLines(results: Results): string[] {
  return [
    "## Environment",
    "",
    "Figures compare between runs of equal fingerprint.",
    "",
    ...propertyTable("property", Object.entries(results.environment)),
    "",
  ];
}

function reproduceLines(results: Results): string[] {
  const { commit, clean } = results.environment as { commit?: unknown; clean?: unknown };
  const state = clean === false ? ", with changes that were not committed" : "";
  const at = typeof commit === "string" ? ` At commit ${commit}${state}:` : "";
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
  return plainLine(text).replace(/[\\|`<*]/g, (character) => `\\${character}`);
}

function shellWord(text: string): string {
  return /^[\w.,:/=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
