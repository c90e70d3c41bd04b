// What the figures say, in sentences, and what they do not: computed from the cells, never written
// by hand. Enters: a group of cells. Leaves: to terminal.ts and markdown.ts. A tie is never ranked.

import { busyRules } from "../model/reasons.ts";
import type { Cell, Results, Status } from "../model/results.ts";
import { runtimeRow } from "../model/runtimes.ts";
import { attainableCoverage } from "../statistics/bootstrap.ts";
import { count, enumerate, percent, ratio, significant } from "./format.ts";
import { figure, type Group, unitOf } from "./groups.ts";
import { metricWords, workloadWords } from "./metric-words.ts";

/** A core counts as full from here on; the capacity regime of measurement uses the same bound. */
const fullCorePercent = 95;
/** From so many blocks on a percentile interval can cover what it says. */
const enoughBlocks = 6;

/**
 * One to three sentences: what the reference costs, what the others cost in its terms, and who is
 * not told apart.
 */
export function verdict(group: Group, reference: string): string[] {
  const base = group.measured.find((cell) => cell.contender === reference);
  const found = base === undefined ? undefined : figure(base, group.metric);
  if (group.metric !== "serverCpuPerMessage") return otherVerdict(group, found?.median, reference);
  if (found === undefined)
    return [`There is no CPU figure of the reference ${reference}: nothing is ranked.`];
  const rivals = group.measured.filter((cell) => cell !== base);
  return [
    `${reference} spends ${significant(found.median)} µs of server CPU on a message.`,
    ...rankedSentence(rivals.filter(isRanked), reference),
    ...tieSentence(rivals.filter(isTied), reference),
  ];
}

/**
 * What is not to be trusted, or only with a grain of salt; one sentence each, empty where there is
 * none.
 */
export function cautions(group: Group, results: Results): string[] {
  const cells = [...group.measured, ...group.others];
  return [
    ...interrupted(results),
    ...oneCore(results),
    ...fewBlocks(group.measured),
    ...droppedWindows(cells),
    ...inconclusive(group.others),
    ...allDropped(group),
    ...fullCores(group.measured),
    ...runtimes(group.measured),
  ];
}

/** How many messages were checked, and that all were right, or how many were not. */
export function integrity(group: Group): string {
  const cells = [...group.measured, ...group.others];
  const messages = cells.reduce((sum, cell) => sum + cell.messages, 0);
  const wrong = cells.reduce((sum, cell) => sum + cell.mismatches, 0);
  if (messages === 0 && wrong === 0) return "";
  const found = wrong === 0 ? "none" : count(wrong);
  const { unit } = workloadWords(group.workload, cells);
  if (unit !== undefined) return `${count(messages)} ${unit}, ${found} wrong or missing.`;
  return `${count(messages)} messages came back, every byte checked, ${found} wrong or missing.`;
}

/** What each status word means, for legends. */
export const statusMeanings: readonly (readonly [Status, string])[] = [
  ["ok", "measured, and told apart from the reference; or it is the reference"],
  ["tie", "measured; not told apart from the reference"],
  [
    "inconclusive",
    "too noisy, cut short, or limited by the load generator, as the reason says: not ranked",
  ],
  ["failed", "crashed, never got ready, lost connections or echoed wrong"],
  ["skipped", "a limit of the machine is too low; the reason says which, and what lifts it"],
  ["unavailable", "the machine refuses what the strategy needs"],
  ["unsupported", "the strategy cannot do this workload"],
];

/** Whether a contender's figures include a JavaScript engine. */
export function includesRuntime({ runtime }: Cell): boolean {
  return runtimeRow(runtime).engine !== null;
}

/** Of a group that is about another figure: the best and the last, who is in between in a table. */
function otherVerdict(group: Group, own: number | undefined, reference: string): string[] {
  const { metric, measured } = group;
  const found = measured.flatMap((cell) => {
    const value = figure(cell, metric)?.median;
    return value === undefined ? [] : [{ cell, value }];
  });
  const [first] = found;
  const last = found.at(-1);
  if (first === undefined || last === undefined) return ["Nothing was measured here."];
  const { title, format } = metricWords(metric, unitOf(first.cell, metric));
  const name = title.charAt(0).toUpperCase() + title.slice(1);
  const ends = [first, ...(last === first ? [] : [last])];
  const words = ends.map(({ cell, value }) => `${cell.contender} ${format(value)}`);
  const middle = own === undefined ? "" : `; the reference ${reference} ${format(own)}`;
  const rivals = measured.filter(({ contender }) => contender !== reference);
  return [
    `${name}: ${words.length > 1 ? "from " : ""}${words.join(" to ")}${middle}.`,
    ...tieSentence(rivals.filter(isTied), reference),
  ];
}

function rankedSentence(cells: readonly Cell[], reference: string): string[] {
  const [first, ...rest] = cells.map((cell, index) => `${cell.contender} ${costs(cell, index)}`);
  if (first === undefined) return [];
  const others = rest.length === 0 ? "" : `; ${enumerate(rest)} times`;
  return [`${first} times the server CPU of ${reference}${others}.`];
}

/** "costs 1.07 (1.05–1.09)" for the first, which teaches how to read the others: "1.51". */
function costs(cell: Cell, index: number): string {
  const metric = figure(cell, "ratioToReference");
  if (metric === undefined || metric.low === null || metric.high === null) return "";
  const middle = ratio(metric.median);
  return index === 0 ? `costs ${middle} (${ratio(metric.low)}–${ratio(metric.high)})` : middle;
}

function tieSentence(cells: readonly Cell[], reference: string): string[] {
  if (cells.length === 0) return [];
  const names = enumerate(cells.map((cell) => cell.contender));
  return [`${names} ${cells.length === 1 ? "ties" : "tie"} with ${reference}.`];
}

/** Whether its interval excludes 1. */
export function isRanked(cell: Cell): boolean {
  const metric = figure(cell, "ratioToReference");
  return cell.status === "ok" && metric !== undefined && metric.low !== null;
}

/** Whether it has an interval, and that holds 1. */
export function isTied(cell: Cell): boolean {
  const metric = figure(cell, "ratioToReference");
  return metric !== undefined && metric.low !== null && !isRanked(cell);
}

function interrupted(results: Results): string[] {
  return results.complete ? [] : ["The run was interrupted: this is what was measured until then."];
}

function oneCore(results: Results): string[] {
  return results.environment["availableCores"] === 1
    ? ["Server and load generator shared the only core: nothing here can be ranked."]
    : [];
}

function fewBlocks(cells: readonly Cell[]): string[] {
  const blocks = Math.min(...cells.map((cell) => cell.blocks));
  if (blocks >= enoughBlocks) return [];
  if (blocks < 2) return ["One block gives no interval: the ratios rank nothing."];
  const coverage = percent(100 * attainableCoverage(blocks));
  return [
    `With ${blocks} blocks an interval covers the truth ${coverage} % of the time at most, ` +
      `not 95 %; with ${enoughBlocks} it can.`,
  ];
}

function droppedWindows(cells: readonly Cell[]): string[] {
  const dropped = cells.filter((cell) => cell.dropped > 0);
  if (dropped.length === 0) return [];
  const names = dropped.map((cell) => `${cell.contender} ${count(cell.dropped)}`);
  return [`Windows that did not count: ${names.join(", ")}.`];
}

function inconclusive(cells: readonly Cell[]): string[] {
  const names = cells
    .filter((cell) => cell.status === "inconclusive")
    .map((cell) => cell.contender);
  return names.length === 0 ? [] : [`Not ranked: ${enumerate(names)}.`];
}

function allDropped({ measured, others }: Group): string[] {
  const busy = ({ cause }: Cell) =>
    cause?.code === "disturbed" && cause.rules.some(({ rule }) => busyRules.includes(rule));
  if (measured.length > 0 || !others.some(busy)) return [];
  return [
    "Something else kept the CPUs busy: measure again when the machine is quiet; " +
      "npm run bench -- doctor says what disturbs it.",
  ];
}

function fullCores(cells: readonly Cell[]): string[] {
  const full = cells.filter(
    (cell) => (figure(cell, "serverCpuPercent")?.median ?? 0) >= fullCorePercent,
  );
  const named = (polls: boolean) =>
    full.filter(({ strategy }) => (strategy === "busy-poll") === polls).map((c) => c.contender);
  const [polling, overloaded] = [named(true), named(false)];
  const sentences: [readonly string[], string][] = [
    [polling, "Busy polling fills its core at any load:"],
    [overloaded, "Core full at this rate, so the cost a message is the core over the rate:"],
  ];
  return sentences.flatMap(([names, text]) =>
    names.length > 0 ? [`${text} ${enumerate(names)}.`] : [],
  );
}

function runtimes(cells: readonly Cell[]): string[] {
  return cells.some((cell) => includesRuntime(cell))
    ? ["ts: and node: rows include their JavaScript runtime."]
    : [];
}
