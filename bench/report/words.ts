// What the report says beside its verdicts: every sentence that is made from figures, once.

import type { Doubt, DoubtOf } from "../model/confidence.ts";
import { causeText } from "../model/reasons.ts";
import type { Cell, Results, Status } from "../model/results.ts";
import type { Confidence, ExcludedCells } from "./cautions.ts";
import { absent, count, enumerate, plainLine, plural, significant } from "./format.ts";
import { figure, type Group, isSeen, unitOf } from "./groups.ts";
import { figureWithInterval } from "./intervals.ts";
import { isUnchecked, metricWords, workloadWords } from "./metric-words.ts";
import { type Sentence, say, someOf } from "./sentence.ts";

/** How many messages were checked, and how many were wrong; empty if the workload sends none. */
export function integrityText({ workload, measured, others }: Group): string {
  // A verdict on what was held has it.
  if (workload === "scale") return "";
  const cells = [...measured, ...others];
  const messages = cells.reduce((sum, cell) => sum + cell.messages, 0);
  const wrong = cells.reduce((sum, cell) => sum + cell.mismatches, 0);
  if (messages === 0 && wrong === 0) return "";
  const found = wrong === 0 ? "none" : count(wrong);
  const { unit } = workloadWords(workload, cells);
  if (isUnchecked(workload) && wrong === 0) return `${count(messages)} ${unit}.`;
  if (unit !== undefined) return `${count(messages)} ${unit}, ${found} wrong or missing.`;
  // Without a payload of the suite's own the answers were compared with what was asked for.
  const checked = cells.every(({ payloadBytes }) => payloadBytes > 0) ? ", every byte checked" : "";
  return `${plural(messages, "message")} came back${checked}, ${found} wrong or missing.`;
}

/** How far to trust the report, as its heading. */
export function confidenceTitle({ level, ranked, cells, graded }: Confidence): string {
  const share = `Confidence: ${count(ranked)} of ${plural(cells, "cell")} measured`;
  if (cells === 0) return "Nothing was measured";
  if (graded.length > 0) {
    const parts = graded.map(({ grade, cells: number }) => `${grade} in ${count(number)}`);
    const broken = ranked === 0 ? "; nothing is ranked" : "; something failed";
    const failed = level === "broken" ? broken : "";
    return `Confidence: ${enumerate(parts)} of ${plural(cells, "cell")}${failed}`;
  }
  if (level === "sound") return `${share}, no window discarded`;
  if (level === "careful") return `${share}; read with care`;
  return ranked === 0 ? "Nothing here can be ranked" : `${share}; something failed`;
}

/** Where the confidence is low, and why: a sentence per workload. */
export function lowSentences({ low }: Confidence): Sentence[] {
  const workloads = [...new Set(low.map(({ workload }) => workload))];
  return workloads.map((workload) => {
    const cells = low.filter((cell) => cell.workload === workload);
    const which = `${plural(cells.length, "cell")} of ${plainLine(workload)}`;
    return say`Low in ${which} (${someOf(cells)}): ${doubtsOf(cells)}.`;
  });
}

/** What makes the confidence low, if that is so in one workload only; else empty. */
export function lowReason({ low }: Confidence): string {
  const workloads = new Set(low.map(({ workload }) => workload));
  return workloads.size === 1 ? doubtsOf(low) : "";
}

function doubtsOf(cells: readonly Cell[]): string {
  const doubts = cells.flatMap(({ confidence }) => confidence?.doubts ?? []);
  return doubtCodes.flatMap((code) => doubtText(code, doubts)).join("; ");
}

/** What the doubts of one kind say of several cells. */
const doubtWords: { readonly [C in Doubt["code"]]: (doubts: readonly DoubtOf<C>[]) => string } = {
  wide: (doubts) =>
    `intervals of ${range(
      doubts.map(({ halfWidth }) => halfWidth),
      (half) => `±${(half * 100).toFixed(half < 0.1 ? 1 : 0)} %`,
    )}`,
  disturbed: (doubts) => `disturbed blocks in ${count(doubts.length)}`,
  "few-blocks": (doubts) =>
    `blocks: ${range(
      doubts.map(({ blocks }) => blocks),
      count,
    )}`,
};

const doubtCodes = Object.keys(doubtWords) as Doubt["code"][];

function doubtText<C extends Doubt["code"]>(code: C, doubts: readonly Doubt[]): string[] {
  const own = doubts.filter((doubt): doubt is DoubtOf<C> => doubt.code === code);
  return own.length === 0 ? [] : [doubtWords[code](own)];
}

/** "3", or "3 to 5". */
function range(values: readonly number[], write: (value: number) => string): string {
  const ends = [Math.min(...values), Math.max(...values)].map(write);
  return [...new Set(ends)].join(" to ");
}

export function windowsSentence({ windows: { dropped, cells } }: Confidence): Sentence {
  if (dropped === 0) return say`No window was discarded.`;
  const were = dropped === 1 ? "was" : "were";
  return say`${plural(dropped, "window")} of ${plural(cells, "cell")} ${were} discarded.`;
}

/** The reason that the cells of an exclusion share. */
export function exclusionText({ cells }: ExcludedCells): string {
  const [first] = cells;
  if (first === undefined) return "";
  if (cells.length === 1) return reasonText(first);
  const words = reasonWords(first);
  return cells.every(({ reason }) => reason === first.reason) ? words : `${words}; others similar`;
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
  return `${reasonWords(cell)}${wrong}${seenText(cell)}`;
}

/** What was measured of a cell that is not ranked; empty if nothing was. */
function seenText(cell: Cell): string {
  if (!isSeen(cell)) return "";
  if (cell.status === "inconclusive") {
    const cost = figure(cell, "serverCpuPerMessage");
    return cost === undefined
      ? ""
      : `; seen: ${significant(cost.median)} µs per message, not ranked`;
  }
  const metric = cell.headline ?? "serverCpuPerMessage";
  const { title } = metricWords(metric, unitOf(cell, metric));
  const of = count(cell.blocks + (cell.droppedBlocks ?? 0));
  const text = `${title} ${withInterval(cell, metric)}`;
  return `; measured in ${count(cell.blocks)} of ${of} blocks: ${text}, not ranked`;
}

/** A figure of a cell with its interval, in the metric's own format. */
export function withInterval(cell: Cell, metric: string): string {
  const found = figure(cell, metric);
  return found === undefined
    ? absent
    : figureWithInterval(found, metricWords(metric, unitOf(cell, metric)).format);
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
  [
    "ok",
    "measured; differs significantly from the reference, is the reference, or is not compared " +
      "with it",
  ],
  ["tie", "measured; within 5 % of the reference"],
  [
    "inconclusive",
    "too noisy, cut short, or limited by the load generator, as the reason says: not ranked",
  ],
  ["failed", "crashed, did not become ready, lost connections or echoed wrong bytes"],
  ["skipped", "a limit of the machine is too low; the reason names it and what lifts it"],
  ["unavailable", "the machine refuses what the strategy needs, or cannot make the load"],
  ["unsupported", "the strategy cannot do this workload"],
];

/** How the figures came about. */
export const methodText =
  "Each contender is a process of its own, measured from outside, with the load generator on " +
  "another CPU if there is one. Blocks run all contenders in a seeded order; the ratio to the " +
  "reference is taken within the block. If the load took turns, a ratio is the geometric mean " +
  "over blocks with Student's 95 % interval. All other figures are medians over blocks with a " +
  "bootstrap interval. A contender without a significant difference is not ranked.";

/** With a capital at its start, unless that is a name. */
export function capitalized(sentence: Sentence): Sentence {
  const [first, ...rest] = sentence;
  return typeof first === "string" ? [capital(first), ...rest] : sentence;
}

/** "idle CPU" becomes "Idle CPU"; "p99" stays. */
export function capital(words: string): string {
  const [first = "", second = ""] = words;
  const isPercentile = first === "p" && second >= "0" && second <= "9";
  return isPercentile ? words : first.toUpperCase() + words.slice(1);
}
