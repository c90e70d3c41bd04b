// report.md: the same tables, verdicts and cautions as the terminal, and what a sceptic asks next:
// what else was seen, how it was measured, on what, and the command that measures it again.
// GitHub-flavoured Markdown. Enters: Results. Leaves: the file's text. Pure.

import type { Cell, Results } from "../model/results.ts";
import { durationText, figureText, intervalText, ratioText, reasonOf } from "./cell-text.ts";
import { absent, count, freeValue, percent, plainLine, significant, words } from "./format.ts";
import { figure, type Group, groupCells, isUntouched, unitOf, untouchedText } from "./groups.ts";
import { headline, headlineGroup, machineSentence } from "./headline.ts";
import { factTitle, metricWords } from "./metric-words.ts";
import { validityOf } from "./validity.ts";
import { cautions, includesRuntime, integrity, statusMeanings, verdict } from "./verdict.ts";

/** The whole report. */
export function renderMarkdown(results: Results): string {
  const all = groupCells(results);
  const untouched = all.filter((group) => isUntouched(group, results));
  const groups = all.filter((group) => !untouched.includes(group));
  return `${[
    ...headLines(results, groups),
    ...(untouched.length === 0 ? [] : [escaped(untouchedText(untouched)), ""]),
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

/** What `target` chooses by itself. */
const ownOfTarget = ["workloads", "contenders"];

/**
 * The command line that runs the same again, from the profile, the seed and the options that were
 * given.
 */
export function reproduceCommand(results: Results): string {
  const given = results.settings["options"];
  const options = typeof given === "object" && given !== null ? Object.entries(given) : [];
  const target = results.profile === "target";
  const own = new Set(["profile", "seed", "out", "live", ...(target ? ownOfTarget : [])]);
  return [
    // A command may hold names and paths of its owner's: it is left out.
    target
      ? "npm run bench -- target --command '… {port}'"
      : `npm run bench -- --profile ${shellWord(results.profile)}`,
    `--seed ${results.seed}`,
    ...options
      .filter(([name, value]) => !own.has(name) && value !== null && value !== undefined)
      .map(
        ([name, value]) =>
          `--${name} ${shellWord(Array.isArray(value) ? value.join(",") : String(value))}`,
      ),
  ].join(" ");
}

function headLines(results: Results, groups: readonly Group[]): string[] {
  const started = results.startedAt.slice(0, 16).replace("T", " ");
  return [
    `# io-selectors: profile ${escaped(results.profile)}, ${escaped(started)} UTC`,
    "",
    ...(results.complete ? [] : ["**Interrupted: this is what was measured until then.**", ""]),
    ...(groups.length > 1 ? summaryLines(results) : []),
  ];
}

/** Of several tables: the verdict of the largest scale, and how far to trust it all. */
function summaryLines(results: Results): string[] {
  const { title, sentences } = validityOf(results);
  const scale = headlineGroup(results)?.title ?? "";
  const machine = machineSentence(results);
  return [
    `**${escaped(headline(results))}** (${escaped(scale)})`,
    "",
    `${escaped(title)}. ${escaped(sentences.slice(0, 1).join(" "))}`,
    ...(machine === "" ? [] : [`Measured on ${escaped(machine)}.`]),
    "",
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
  const columns = measuredColumns(group);
  return [
    ...table(
      ["contender", ...columns.map(({ title }) => escaped(title))],
      group.measured.map((cell) => [
        cell.contender === reference ? `**${escaped(cell.contender)}**` : escaped(cell.contender),
        ...columns.map(({ text }) => escaped(text(cell, reference))),
      ]),
    ),
    "",
  ];
}

interface Field {
  readonly title: string;
  readonly text: (cell: Cell, reference: string) => string;
}

/** What the group is about, with its ratio; then the same for all, where it was measured. */
function measuredColumns({ metric, measured }: Group): Field[] {
  const usual: readonly (Field & { readonly name: string })[] = [
    { name: "latencyP50", title: "p50", text: (cell) => durationText(cell, "latencyP50") },
    { name: "latencyP99", title: "p99", text: (cell) => durationText(cell, "latencyP99") },
    {
      name: "serverCpuPercent",
      title: "server CPU %",
      text: (cell) => figureText(cell, "serverCpuPercent", percent),
    },
  ];
  const has = (name: string) => measured.some((cell) => figure(cell, name) !== undefined);
  return [
    headlineField(metric, measured),
    ...(has("ratioToReference")
      ? [
          {
            title: "ratio to reference [95 %]",
            text: (cell: Cell, reference: string) => ratioText(cell, reference, " … "),
          },
        ]
      : []),
    ...usual.filter(({ name }) => name !== metric && has(name)),
    { title: "messages", text: (cell) => count(cell.messages) },
    { title: "mismatches", text: (cell) => count(cell.mismatches) },
    { title: "status", text: (cell) => cell.status },
  ];
}

function headlineField(metric: string, cells: readonly Cell[]): Field {
  if (metric === "serverCpuPerMessage") {
    const options = { format: significant, dash: " … " };
    return {
      title: "server CPU, µs a message [95 %]",
      text: (cell) => intervalText(cell, metric, options),
    };
  }
  const { title, format } = wordsOf(metric, cells);
  const text = (cell: Cell) => intervalText(cell, metric, { format, dash: " … " });
  return { title: `${title} [95 %]`, text };
}

function wordsOf(metric: string, cells: readonly Cell[]) {
  const cell = cells.find((one) => figure(one, metric) !== undefined);
  return metricWords(metric, cell === undefined ? "1" : unitOf(cell, metric));
}

function otherLines(group: Group): string[] {
  if (group.others.length === 0) return [];
  const rows = group.others.map((cell) => [escaped(cell.contender), escaped(reasonOf(cell))]);
  return [...table(["not in the table", "why"], rows), ""];
}

/** What else was measured; a column only where some contender has it. */
function furtherLines(group: Group): string[] {
  const cells = [...group.measured, ...group.others].filter((cell) => cell.blocks > 0);
  const names = furtherNames(group.metric, cells);
  if (names.length === 0) return [];
  const facts = [...new Set(cells.flatMap((cell) => Object.keys(cell.facts ?? {})))];
  const columns = names.map((name) => ({ name, ...wordsOf(name, cells) }));
  const latencies = names.some((name) => name.startsWith("latency"));
  return [
    `<details${facts.length > 0 ? " open" : ""}><summary>Further figures</summary>`,
    "",
    ...table(
      [
        "contender",
        ...[...columns.map(({ title }) => title), ...facts.map(factTitle)].map(escaped),
        ...["blocks", "dropped windows"],
      ],
      cells.map((cell) => [
        escaped(cell.contender) + (includesRuntime(cell) ? " (runtime included)" : ""),
        ...columns.map(({ name, format }) => escaped(figureText(cell, name, format))),
        ...facts.map((name) => escaped(cell.facts?.[name] ?? absent)),
        count(cell.blocks),
        count(cell.dropped),
      ]),
    ),
    "",
    ...(latencies
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

/** All metrics that the first table does not have, in the order of the results. */
function furtherNames(metric: string, cells: readonly Cell[]): string[] {
  const names = new Set(cells.flatMap((cell) => Object.keys(cell.metrics)));
  return [...names].filter(
    (name) =>
      name !== metric &&
      !alwaysShown.includes(name) &&
      cells.some((cell) => figure(cell, name) !== undefined),
  );
}

function methodLines(results: Results): string[] {
  const settings = Object.entries(results.settings).filter(([name]) => name !== "options");
  return [
    "## How it was measured",
    "",
    "Each contender is a process of its own, measured from outside, with the load generator on",
    "another CPU where there is one. Blocks run all contenders in a seeded order; the ratio is",
    "taken to the reference within the block, and the figures are medians over blocks with a 95 %",
    "bootstrap interval. Whoever is not told apart from the reference is a tie, and is not ranked.",
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
  return plainLine(text).replace(/[\\|`<*]|\](?=\()/g, (character) => `\\${character}`);
}

function shellWord(text: string): string {
  return /^[\w.,:/=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
