// The verdicts: what the report and each of its tables say first, from their figures. A ranking
// stands only if an interval excludes 1, and a tie is never ranked.

import type { Cell, Results } from "../model/results.ts";
import { isSaturated } from "./cautions.ts";
import { bytes, count, ratio, significant } from "./format.ts";
import { figure, type Group, isProbable, isUnresolved, unitOf } from "./groups.ts";
import { intervalWords } from "./intervals.ts";
import { metricWords, sizeText } from "./metric-words.ts";
import {
  enumerated,
  joined,
  mostListed,
  nameOf,
  namesOf,
  type Sentence,
  say,
  someOf,
} from "./sentence.ts";
import { capital, capitalized, withInterval } from "./words.ts";

/** What the reference costs: how the report and every table's verdict begin. */
function opening(reference: string, cost: number): Sentence {
  return say`${nameOf(reference)} spends ${significant(cost)} µs of server CPU per message`;
}

/** What most people use today, which the verdict names wherever it was measured. */
export const usual = "node:net";

/** The verdict on the main scale: the reference and the usual server, others, what saturates. */
export function headlineOf(group: Group | undefined, { reference }: Results): Sentence[] {
  if (group === undefined) return [say`Nothing was measured.`];
  const costs = group.metric === "serverCpuPerMessage";
  if (!costs || !isCompared(group, reference)) return verdictOf(group, reference);
  const base = group.measured.find((cell) => cell.contender === reference);
  const cost = base === undefined ? undefined : figure(base, "serverCpuPerMessage")?.median;
  if (cost === undefined) return verdictOf(group, reference);
  const rivals = group.measured.filter((cell) => cell !== base && !isSaturated(cell));
  const known = rivals.find(({ contender }) => contender === usual);
  const others = rivals.filter((cell) => cell !== known);
  const ranked = others.filter(isRanked);
  const likely = others.filter(isProbable);
  const first = [opening(reference, cost), ...(known === undefined ? [] : [againstUsual(known)])];
  const ties = tied(
    others.filter(isTied),
    known === undefined ? say`with it` : say`with ${nameOf(reference)}`,
  );
  const [times = [], ...moreTimes] = [
    compared(ranked.filter((cell) => ratioOf(cell) < 1)),
    compared(ranked.filter((cell) => ratioOf(cell) >= 1)),
    likely.length > mostListed ? [] : probable(likely),
  ].filter((part) => part.length > 0);
  // The sentence before may end with another contender's cost.
  const clear = known === undefined || ties.length > 0 || times.length === 0;
  const rest = [
    ties,
    clear ? times : say`${times} as ${nameOf(reference)}`,
    ...moreTimes,
    likely.length > mostListed ? probable(likely) : [],
    unresolved(others.filter((cell) => isUnresolved(cell) && !isProbable(cell))),
  ].filter((part) => part.length > 0);
  const full = group.measured.filter(isSaturated);
  if (rest.length + full.length === 0 && others.length > 0) rest.push(say`No other is ranked`);
  return [
    say`${joined(first, "; ")}.`,
    ...(rest.length === 0 ? [] : [say`${capitalized(joined(rest, "; "))}.`]),
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
  if (cells.length > mostListed) return say`${someOf(cells)} probably differ`;
  const ratios = enumerated(cells.map((cell) => [ratio(ratioOf(cell))]));
  const verb = cells.length === 1 ? "costs" : "cost";
  return say`${namesOf(cells)} probably ${verb} ${ratios} times as much`;
}

function unresolved(cells: readonly Cell[]): Sentence {
  if (cells.length === 0) return [];
  return say`not resolved: ${someOf(cells)}`;
}

function saturatedSentence(cells: readonly Cell[]): Sentence {
  const verb = cells.length === 1 ? "saturates its core" : "saturate their cores";
  return say`${someOf(cells)} ${verb} at this rate.`;
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

/** "a costs 1.24 and b 2.74 times as much"; of more only the ends. */
function compared(cells: readonly Cell[]): Sentence {
  const sorted = [...cells].sort((left, right) => ratioOf(left) - ratioOf(right));
  const [first] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) return [];
  const [low, high] = [nameOf(first.contender), nameOf(last.contender)];
  if (first === last) return say`${low} costs ${timesOf(first)} as much`;
  if (sorted.length === 2) {
    return say`${low} costs ${ratio(ratioOf(first))} and ${high} ${timesOf(last)} as much`;
  }
  const ends = say`from ${ratio(ratioOf(first))} (${low}) to ${timesOf(last)} (${high})`;
  return say`${count(sorted.length)} others cost ${ends} as much`;
}

/** One to three sentences: what the reference costs, what the others cost in its terms, ties. */
export function verdictOf(group: Group, reference: string): Sentence[] {
  if (group.workload === "scale") return heldVerdict(group);
  const base = group.measured.find((cell) => cell.contender === reference);
  const own = base === undefined ? undefined : figure(base, group.metric)?.median;
  const rivals = group.measured.filter((cell) => cell !== base);
  const cost = group.metric === "serverCpuPerMessage";
  const alike = rivals.filter((cell) => isTied(cell) && !(cost && isSaturated(cell)));
  const ties = tied(alike, say`with ${nameOf(reference)}`);
  const last = ties.length === 0 ? [] : [say`${ties}.`];
  if (group.metric !== "serverCpuPerMessage") return otherVerdict(group, { reference, ties: last });
  if (own === undefined) {
    return [say`There is no CPU figure of the reference ${nameOf(reference)}: nothing is ranked.`];
  }
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
    ...(open.length === 0 ? [] : [say`Not resolved: ${someOf(open)}.`]),
  ];
}

/** Of a group that is about another figure: the best and the last; the table has the others. */
function otherVerdict(
  { metric, measured }: Group,
  { reference, ties }: { readonly reference: string; readonly ties: readonly Sentence[] },
): Sentence[] {
  const found = measured.filter((cell) => figure(cell, metric) !== undefined);
  const [first] = found;
  const last = found.at(-1);
  if (first === undefined || last === undefined) return [say`Nothing was measured here.`];
  const { title } = metricWords(metric, unitOf(first, metric));
  const ends = (first === last ? [first] : [first, last]).map(
    (cell) => say`${nameOf(cell.contender)} ${withInterval(cell, metric)}`,
  );
  const base = found.find(({ contender }) => contender === reference);
  const middle =
    base === undefined || base === first || base === last
      ? ""
      : say`; the reference ${nameOf(reference)} ${withInterval(base, metric)}`;
  const range = say`${ends.length > 1 ? "from " : ""}${joined(ends, " to ")}`;
  return [say`${capital(title)}: ${range}${middle}.`, ...ties];
}

/** Of more than these a sentence has the first and the last. */
const mostRanked = 8;

function rankedSentence(cells: readonly Cell[], reference: string): Sentence {
  const [first = [], ...rest] = cells.map(
    (cell, index) => say`${nameOf(cell.contender)} ${costs(cell, index)}`,
  );
  const last = rest.at(-1);
  const shown =
    last === undefined || rest.length <= mostRanked
      ? rest
      : [...rest.slice(0, 3), say`the most expensive of ${cells.length}, ${last}`];
  const others = rest.length === 0 ? "" : say`; ${enumerated(shown)} times`;
  return say`${first} times the server CPU of ${nameOf(reference)}${others}.`;
}

/** "costs 1.07 (1.05–1.09)" for the first, which teaches how to read the others: "1.51". */
function costs(cell: Cell, index: number): string {
  const found = figure(cell, "ratioToReference");
  if (found === undefined || found.low === null || found.high === null) return "";
  const middle = ratio(found.median);
  return index === 0 ? `costs ${middle} ${intervalWords(found, ratio)}` : middle;
}

function tied(cells: readonly Cell[], what: Sentence): Sentence {
  return cells.length === 0
    ? []
    : say`${someOf(cells)} ${cells.length === 1 ? "ties" : "tie"} ${what}`;
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

function timesOf(cell: Cell): string {
  return `${ratio(ratioOf(cell))} times`;
}

function ratioOf(cell: Cell): number {
  return figure(cell, "ratioToReference")?.median ?? 1;
}
