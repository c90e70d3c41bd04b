// What the report says: every sentence of it that is made from figures, once. A ranking stands only
// where an interval excludes 1, and a tie is never ranked.

import { doubtText } from "../model/confidence.ts";
import { causeText } from "../model/reasons.ts";
import type { Cell, Results, Status } from "../model/results.ts";
import { isSaturated } from "./causes.ts";
import type { Confidence, ExcludedCells } from "./cautions.ts";
import { bytes, count, enumerate, plainLine, ratio, significant } from "./format.ts";
import { figure, type Group, isProbable, isUnresolved, scaleText, unitOf } from "./groups.ts";
import { metricWords, sizeText, workloadWords } from "./metric-words.ts";
import { enumerated, joined, type Name, namesOf, type Sentence, say } from "./sentence.ts";

/** What the reference costs: how the report and every table's verdict begin. */
function opening(reference: string, cost: number): Sentence {
  return say`${nameOf(reference)} spends ${significant(cost)} µs of server CPU per message`;
}

function withoutReference(reference: string): Sentence {
  return say`There is no CPU figure of the reference ${nameOf(reference)}: nothing is ranked.`;
}

/** What most people use today, which the verdict names wherever it was measured. */
export const usual = "node:net";

/**
 * The report's verdict on the scale that matters most, in at most three sentences: the reference
 * and what people use today, then the others, then what saturates its core and has no ratio.
 */
export function headlineOf(group: Group | undefined, { reference }: Results): Sentence[] {
  if (group === undefined) return [say`Nothing was measured.`];
  if (group.workload === "scale") return heldVerdict(group);
  const costs = group.metric === "serverCpuPerMessage";
  if (!costs || !isCompared(group, reference)) return verdictOf(group, reference);
  const base = group.measured.find((cell) => cell.contender === reference);
  const cost = base === undefined ? undefined : figure(base, "serverCpuPerMessage")?.median;
  if (cost === undefined) return verdictOf(group, reference);
  const rivals = group.measured.filter((cell) => cell !== base && !isSaturated(cell));
  const known = rivals.find(({ contender }) => contender === usual);
  const others = rivals.filter((cell) => cell !== known);
  const ranked = others.filter(isRanked);
  const first = [opening(reference, cost), ...(known === undefined ? [] : [againstUsual(known)])];
  const rest = [
    tied(
      others.filter(isTied),
      known === undefined ? say`with it` : say`with ${nameOf(reference)}`,
    ),
    cheaper(ranked.filter((cell) => ratioOf(cell) < 1)),
    moreExpensive(ranked.filter((cell) => ratioOf(cell) >= 1)),
    probable(others.filter(isProbable)),
    unresolved(others.filter((cell) => isUnresolved(cell) && !isProbable(cell))),
  ].filter((part) => part.length > 0);
  const full = group.measured.filter(isSaturated);
  if (rest.length + full.length === 0 && others.length > 0) rest.push(say`No other is ranked`);
  return [
    say`${joined(first, "; ")}.`,
    ...(rest.length === 0 ? [] : [say`${joined(rest, "; ")}.`]),
    ...(full.length === 0 ? [] : [saturatedSentence(full)]),
  ];
}

function againstUsual(cell: Cell): Sentence {
  if (isRanked(cell)) return say`${nameOf(usual)} spends ${ratio(ratioOf(cell))} times that`;
  if (isTied(cell)) return say`${nameOf(usual)} does not differ significantly`;
  if (isProbable(cell)) {
    return say`${nameOf(usual)} probably spends ${ratio(ratioOf(cell))} times that`;
  }
  if (isUnresolved(cell)) {
    return say`${nameOf(usual)} spends ${ratio(ratioOf(cell))} times that, which is not resolved`;
  }
  return say`${nameOf(usual)} is not ranked`;
}

function probable(cells: readonly Cell[]): Sentence {
  if (cells.length === 0) return [];
  const ratios = enumerated(cells.map((cell) => [ratio(ratioOf(cell))]));
  const verb = cells.length === 1 ? "costs" : "cost";
  return say`${namesOf(cells)} probably ${verb} ${ratios} times as much`;
}

function unresolved(cells: readonly Cell[]): Sentence {
  if (cells.length === 0) return [];
  return say`not resolved: ${namesOf(cells)}`;
}

function saturatedSentence(cells: readonly Cell[]): Sentence {
  const verb = cells.length === 1 ? "saturates its core" : "saturate their cores";
  return say`${namesOf(cells)} ${verb} at this rate.`;
}

/** Of a run that holds as many connections as it can: what was held, and what each takes. */
function heldVerdict({ measured, others }: Group): Sentence[] {
  const [first] = measured;
  if (first === undefined) return [say`No contender held ${held(others[0])}.`];
  const wrong = measured.reduce((sum, cell) => sum + cell.mismatches, 0);
  const messages = measured.reduce((sum, cell) => sum + cell.messages, 0);
  const each = measured.length === 1 ? "" : " each";
  const faults = `${count(wrong)} of ${count(messages)}`;
  const sizes = measured.flatMap((cell) => {
    const own = figure(cell, "userBytesPerConnection")?.median;
    return own === undefined ? [] : [say`${bytes(own)} in ${nameOf(cell.contender)}`];
  });
  const kernel = figure(first, "kernelBytesPerConnection")?.median;
  const client = figure(first, "clientBytesPerConnection")?.median;
  const both = [
    ...(kernel === undefined ? [] : [`${bytes(kernel)} in the kernel for both ends`]),
    ...(client === undefined ? [] : [`${bytes(client)} in the load generator`]),
  ].map((part) => `, ${part}`);
  return [
    say`${namesOf(measured)} held ${held(first)}${each}; ${faults} messages were wrong or missing.`,
    ...(sizes.length === 0
      ? []
      : [say`One connection takes ${enumerated(sizes)}${both.join("")}.`]),
  ];
}

function held(cell: Cell | undefined): string {
  return cell === undefined ? "any connection" : sizeText(cell.workload, cell.connections);
}

/** False for a group about another figure in which the reference takes no part. */
function isCompared({ metric, measured, others }: Group, reference: string): boolean {
  if (metric === "serverCpuPerMessage") return true;
  return [...measured, ...others].some(({ contender }) => contender === reference);
}

function cheaper(cells: readonly Cell[]): Sentence {
  return enumerated(
    cells.map((cell) => say`${nameOf(cell.contender)} needs ${ratio(ratioOf(cell))} times that`),
  );
}

function moreExpensive(cells: readonly Cell[]): Sentence {
  const sorted = [...cells].sort((left, right) => ratioOf(left) - ratioOf(right));
  const [first] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) return [];
  const near = say`${nameOf(first.contender)} costs ${ratio(ratioOf(first))} times as much`;
  if (first === last) return near;
  return say`${near}, ${nameOf(last.contender)}, the most expensive, ${ratio(ratioOf(last))} times`;
}

/** One to three sentences: what the reference costs, what the others cost in its terms, ties. */
export function verdictOf(group: Group, reference: string): Sentence[] {
  const base = group.measured.find((cell) => cell.contender === reference);
  const own = base === undefined ? undefined : figure(base, group.metric)?.median;
  const rivals = group.measured.filter((cell) => cell !== base);
  const cost = group.metric === "serverCpuPerMessage";
  const alike = rivals.filter((cell) => isTied(cell) && !(cost && isSaturated(cell)));
  const ties = tied(alike, say`with ${nameOf(reference)}`);
  const last = ties.length === 0 ? [] : [say`${ties}.`];
  if (group.metric !== "serverCpuPerMessage") return otherVerdict(group, { own, reference, last });
  if (own === undefined) return [withoutReference(reference)];
  const ranked = rivals.filter((cell) => isRanked(cell) && !isSaturated(cell));
  const vague = rivals.filter((cell) => isUnresolved(cell) && !isSaturated(cell));
  const [likely, open] = [vague.filter(isProbable), vague.filter((cell) => !isProbable(cell))];
  const full = group.measured.filter(isSaturated);
  return [
    say`${opening(reference, own)}.`,
    ...(ranked.length === 0 ? [] : [rankedSentence(ranked, reference)]),
    ...(full.length === 0 ? [] : [saturatedSentence(full)]),
    ...last,
    ...(likely.length === 0 ? [] : [say`${probable(likely)}.`]),
    ...(open.length === 0 ? [] : [say`Not resolved: ${namesOf(open)}.`]),
  ];
}

/** Of a group that is about another figure: the best and the last; the table has the others. */
function otherVerdict(
  { metric, measured }: Group,
  {
    own,
    reference,
    last: ties,
  }: { own: number | undefined; reference: string; last: readonly Sentence[] },
): Sentence[] {
  const found = measured.filter((cell) => figure(cell, metric) !== undefined);
  const [first] = found;
  const last = found.at(-1);
  if (first === undefined || last === undefined) return [say`Nothing was measured here.`];
  const { title, format } = metricWords(metric, unitOf(first, metric));
  const ends = (first === last ? [first] : [first, last]).map(
    (cell) => say`${nameOf(cell.contender)} ${format(figure(cell, metric)?.median ?? 0)}`,
  );
  const middle = own === undefined ? "" : say`; the reference ${nameOf(reference)} ${format(own)}`;
  const range = say`${ends.length > 1 ? "from " : ""}${joined(ends, " to ")}`;
  return [say`${capital(title)}: ${range}${middle}.`, ...ties];
}

function rankedSentence(cells: readonly Cell[], reference: string): Sentence {
  const [first = [], ...rest] = cells.map(
    (cell, index) => say`${nameOf(cell.contender)} ${costs(cell, index)}`,
  );
  const others = rest.length === 0 ? "" : say`; ${enumerated(rest)} times`;
  return say`${first} times the server CPU of ${nameOf(reference)}${others}.`;
}

/** "costs 1.07 (1.05–1.09)" for the first, which teaches how to read the others: "1.51". */
function costs(cell: Cell, index: number): string {
  const found = figure(cell, "ratioToReference");
  if (found === undefined || found.low === null || found.high === null) return "";
  const middle = ratio(found.median);
  return index === 0 ? `costs ${middle} (${ratio(found.low)}–${ratio(found.high)})` : middle;
}

function tied(cells: readonly Cell[], what: Sentence): Sentence {
  return cells.length === 0
    ? []
    : say`${namesOf(cells)} ${cells.length === 1 ? "ties" : "tie"} ${what}`;
}

/** Whether its interval excludes 1. */
function isRanked(cell: Cell): boolean {
  const found = figure(cell, "ratioToReference");
  return cell.status === "ok" && found !== undefined && found.low !== null;
}

/** Whether it has an interval, and that holds 1. */
function isTied(cell: Cell): boolean {
  const found = figure(cell, "ratioToReference");
  return found !== undefined && found.low !== null && !isRanked(cell) && !isUnresolved(cell);
}

/** How many messages were checked, and how many were wrong; empty if the workload sends none. */
export function integrityText({ workload, measured, others }: Group): string {
  const cells = [...measured, ...others];
  const messages = cells.reduce((sum, cell) => sum + cell.messages, 0);
  const wrong = cells.reduce((sum, cell) => sum + cell.mismatches, 0);
  if (messages === 0 && wrong === 0) return "";
  const found = wrong === 0 ? "none" : count(wrong);
  const { unit } = workloadWords(workload, cells);
  if (unit !== undefined) return `${count(messages)} ${unit}, ${found} wrong or missing.`;
  return `${count(messages)} messages came back, every byte checked, ${found} wrong or missing.`;
}

/** How far to trust the report, as its heading. */
export function confidenceTitle({ level, ranked, cells, graded }: Confidence): string {
  const share = `Confidence: ${count(ranked)} of ${count(cells)} cells measured`;
  if (cells === 0) return "Nothing was measured";
  if (graded.length > 0) {
    const parts = graded.map(({ grade, cells: number }) => `${grade} in ${count(number)}`);
    const failed = level === "broken" ? "; something failed" : "";
    return `Confidence: ${enumerate(parts)} of ${count(cells)} cells${failed}`;
  }
  if (level === "sound") return `${share}, no window dropped`;
  if (level === "careful") return `${share}; read with care`;
  return ranked === 0 ? "Nothing here can be ranked" : `${share}; something failed`;
}

/** Why the confidence of a cell is low. */
export function lowSentence(cell: Cell): Sentence {
  const doubts = (cell.confidence?.doubts ?? []).map(doubtText);
  const place = `${plainLine(cell.workload)}, ${scaleText(cell)}`;
  return say`Low: ${nameOf(cell.contender)} (${place}): ${enumerate(doubts)}.`;
}

export function windowsSentence({ windows: { dropped, cells } }: Confidence): Sentence {
  if (dropped === 0) return say`No window was dropped: the machine was quiet enough throughout.`;
  const found = `${count(dropped)} windows of ${count(cells)} cells were discarded`;
  return say`${found}, because the machine was busy with something else.`;
}

/** The reason that the cells of an exclusion share. */
export function exclusionText({ cells }: ExcludedCells): string {
  const [first] = cells;
  if (first === undefined) return "";
  if (cells.length === 1) return reasonText(first);
  const words = reasonWords(first);
  return cells.every(({ reason }) => reason === first.reason) ? words : `${words}; and alike`;
}

/** "skipped: RLIMIT_NOFILE 1024 < 10080 needed". */
export function reasonOf(cell: Cell): string {
  return `${cell.status}: ${reasonText(cell)}`;
}

/** With how many messages were wrong, and what was seen all the same if it could not be ranked. */
function reasonText(cell: Cell): string {
  // One that failed before its first window has faults, and no messages that count.
  const of = cell.messages < cell.mismatches ? "" : `of ${count(cell.messages)} `;
  const wrong =
    cell.mismatches > 0 ? ` (${count(cell.mismatches)} ${of}messages wrong or missing)` : "";
  const cost = figure(cell, "serverCpuPerMessage");
  const seen =
    cell.status === "inconclusive" && cost !== undefined
      ? `; seen: ${significant(cost.median)} µs per message, not ranked`
      : "";
  return `${reasonWords(cell)}${wrong}${seen}`;
}

function reasonWords({ cause, reason }: Cell): string {
  const words = cause === undefined ? (reason ?? "") : causeText(cause);
  return plainLine(words) || "no reason was given";
}

/** Such as "AMD EPYC, 2 cores, virtual machine, linux 6.18.44, Node 20.20.2". */
export function machineText({ environment }: Results): string {
  const word = (name: string) => {
    const value = environment[name];
    return typeof value === "string" ? plainLine(value) : null;
  };
  const cores = environment["availableCores"] ?? environment["logicalCores"];
  const hypervisor = word("hypervisor");
  const parts = [
    word("cpuModel"),
    typeof cores === "number" ? `${count(cores)} ${cores === 1 ? "core" : "cores"}` : null,
    hypervisor === "none" ? "no hypervisor" : hypervisor,
    [word("platform"), word("kernel")].filter((part) => part !== null).join(" ") || null,
    word("node") === null ? null : `Node ${word("node")}`,
  ];
  return parts.filter((part) => part !== null).join(", ");
}

/** Groups that were not reached, a workload with its scales: "echo-rate (5 scales)". */
export function untouchedText(groups: readonly Group[]): string {
  const scales = new Map<string, number>();
  for (const { workload } of groups) scales.set(workload, (scales.get(workload) ?? 0) + 1);
  const words = [...scales].map(([workload, number]) =>
    number === 1 ? plainLine(workload) : `${plainLine(workload)} (${count(number)} scales)`,
  );
  return `Not reached before the run was interrupted: ${words.join(", ")}.`;
}

/** What each status word means. */
export const statusMeanings: readonly (readonly [Status, string])[] = [
  ["ok", "measured; differs significantly from the reference, or is the reference"],
  ["tie", "measured; within 5 % of the reference"],
  [
    "inconclusive",
    "too noisy, cut short, or limited by the load generator, as the reason says: not ranked",
  ],
  ["failed", "crashed, never got ready, lost connections or echoed wrong"],
  ["skipped", "a limit of the machine is too low; the reason says which, and what lifts it"],
  ["unavailable", "the machine refuses what the strategy needs"],
  ["unsupported", "the strategy cannot do this workload"],
];

/** How the figures came about. */
export const methodText =
  "Each contender is a process of its own, measured from outside, with the load generator on " +
  "another CPU if there is one. Blocks run all contenders in a seeded order; the ratio to the " +
  "reference is taken within the block. If the load took turns, a ratio is the geometric mean " +
  "over blocks with Student's 95 % interval. All other figures are medians over blocks with a " +
  "bootstrap interval. A contender without a significant difference is not ranked.";

/** "idle CPU" becomes "Idle CPU"; "p99" stays. */
export function capital(words: string): string {
  const [first = "", second = ""] = words;
  const isPercentile = first === "p" && second >= "0" && second <= "9";
  return isPercentile ? words : first.toUpperCase() + words.slice(1);
}

function nameOf(contender: string): Name {
  return { name: contender };
}

function ratioOf(cell: Cell): number {
  return figure(cell, "ratioToReference")?.median ?? 1;
}
