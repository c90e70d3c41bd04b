// An advice as text for a terminal, without a trailing newline, and as JSON. Pure.

import {
  absent,
  bytes,
  duration,
  enumerate,
  type Format,
  percent,
  plainLine,
  plainNumber,
  plural,
  ratio,
} from "../report/format.ts";
import { type Figure, hasStudentRatio } from "../report/groups.ts";
import { figureWithInterval } from "../report/intervals.ts";
import {
  type Column,
  type Paint,
  painter,
  tableLines,
  tableWidth,
  wrap,
} from "../report/text-table.ts";
import { attainableCoverage } from "../statistics/bootstrap.ts";
import { compare, figureFor } from "./advise.ts";
import { elsewhereText, excludedText, refusalText, runText, scaleText } from "./causes.ts";
import type { Advice, AdviceRefusal, Answer, Candidate, Criterion } from "./question.ts";

interface AdviceOptions {
  readonly colour: boolean;
  readonly width: number;
  /** What runs the suite here: "npm run bench --". */
  readonly command: string;
  /** How a contender waits, in one phrase; "" if it is not known. */
  readonly summaryOf: (contender: string) => string;
}

export function renderAdvice(advice: Advice, options: AdviceOptions): string {
  const lines =
    advice.kind === "answer" ? answerLines(advice, options) : refusalLines(advice, options);
  return lines.join("\n");
}

/** The same for a program; figures as in results.json, times in microseconds. */
export function adviceJson(advice: Advice, command: string): string {
  const shown =
    advice.kind === "answer"
      ? answerJson(advice)
      : {
          ...advice,
          reason: refusalText(advice.cause),
          measuredBy: commandOf(advice, command),
          nearest: advice.nearest === null ? null : answerJson(advice.nearest),
        };
  return JSON.stringify(shown, null, 2);
}

function answerJson(answer: Answer) {
  const excluded = answer.excluded.map((one) => [plainLine(one.contender), excludedText(one)]);
  const corners = answer.corners.map(cornerJson);
  return { ...answer, excluded, corners, basis: basisOf(answer) };
}

function cornerJson({ point, weight }: Answer["corners"][number]) {
  const { cells: _cells, run, ...scale } = point;
  return { ...scale, weight, startedAt: run.startedAt, profile: run.profile };
}

/** Whether the very scale was measured. */
function basisOf({ corners }: Answer): "measured" | "interpolated" {
  return corners.length === 1 ? "measured" : "interpolated";
}

interface AdviceCanvas {
  readonly width: number;
  readonly paint: Paint;
}

function refusalLines(refusal: AdviceRefusal, options: AdviceOptions): string[] {
  const { command, width, colour } = options;
  const paint = painter(colour);
  const told = commandOf(refusal, command);
  const { nearest, cause } = refusal;
  const lead = nearest === null ? "No answer" : "Low confidence";
  const reason = `${lead}: ${refusalText(cause)} ${elsewhereText(refusal)}`.trimEnd();
  return [
    ...wrap(reason, Math.min(width, longestProse)).map((line) => paint(line, "yellow")),
    ...(nearest === null
      ? []
      : ["", "At the nearest measured scale:", ...nearestLines(nearest, options)]),
    ...(told === null
      ? ["No workload of the suite measures that."]
      : ["", "This would measure it:", `  ${told}`]),
  ];
}

/** The recommendation and the table; how sure it is was said before. */
function nearestLines(answer: Answer, options: AdviceOptions): string[] {
  const { width, colour } = options;
  const canvas = { width, paint: painter(colour) };
  return [
    ...wrap(`For ${questionText(answer)}:`, Math.min(width, longestProse)),
    ...headLines(answer.recommended, { ...options, ...canvas }),
    "",
    ...candidateLines(answer, canvas),
  ];
}

function commandOf({ measuredBy }: AdviceRefusal, command: string): string | null {
  return measuredBy === null ? null : [command, ...measuredBy].join(" ");
}

/** Wider lines are hard to read. */
const longestProse = 100;

function answerLines(answer: Answer, options: AdviceOptions): string[] {
  const { width, colour } = options;
  const paint = painter(colour);
  const prose = Math.min(width, longestProse);
  const { recommended, runnerUp, inNode } = answer;
  const paragraphs: (readonly string[])[] = [
    tieText(answer),
    runnerUp === null ? [] : [runnerUpText(recommended, runnerUp)],
    inNode === null ? [] : [nodeText(answer, inNode)],
    [sureText(answer)],
    cautionsOf(answer),
  ];
  const [tie = [], why = [], ...rest] = paragraphs.map((texts) =>
    texts.flatMap((text) => wrap(text, prose, text.startsWith("! ") ? "  " : "")),
  );
  const against = runnerUp === null ? [] : whyLines(recommended, runnerUp, prose);
  return [
    ...wrap(`For ${questionText(answer)}:`, prose),
    "",
    ...headLines(recommended, { ...options, width: prose, paint }),
    ...[tie, [...why, ...against], ...rest].flatMap((lines) =>
      lines.length === 0 ? [] : ["", ...lines],
    ),
    "",
    ...candidateLines(answer, { width, paint }),
    ...answer.excluded.flatMap((one) =>
      wrap(`${plainLine(one.contender)}  ${excludedText(one)}`, width, "    "),
    ),
  ];
}

function questionText({ question, ratePerSecond }: Answer): string {
  return scaleText({ ...question, ratePerSecond });
}

function headLines(
  { contender }: Candidate,
  { summaryOf, width, paint }: Pick<AdviceOptions, "summaryOf" | "width"> & AdviceCanvas,
): string[] {
  const summary = summaryOf(contender);
  const words = `${contender}${summary === "" ? "" : `: ${summary}`}`;
  return indented(words, width, "  ").map((line) =>
    line.replace(contender, (name) => paint(name, "bold")),
  );
}

/** wrap() drops spaces at the start. */
function indented(text: string, width: number, indent: string): string[] {
  return wrap(text, width - indent.length, "  ").map((line) => `${indent}${line}`);
}

function tieText({ recommended, tied, decidedBy, candidates }: Answer): string[] {
  if (candidates.length === 1) return ["It is the only contender measured there."];
  if (Math.min(...candidates.map(({ blocks }) => blocks)) < 2) {
    return ["One block is not enough to rank contenders."];
  }
  if (tied.length > 0) {
    const names = enumerate(tied.map(({ contender }) => contender));
    return [
      `No significant difference from ${names} in CPU, p99 or memory. ${recommended.contender} ` +
        "is first only because its measured CPU per message is lowest.",
    ];
  }
  return decidedBy === null || decidedBy === "cpu" ? [] : [decisions[decidedBy]];
}

const decisions: Readonly<Record<Exclude<Criterion, "cpu">, string>> = {
  latency: "No significant difference from others in CPU per message; the lower p99 decided.",
  memory:
    "No significant difference from others in CPU per message and p99; the smaller memory decided.",
};

function runnerUpText(first: Candidate, second: Candidate): string {
  const times = ratioBetween(first, second);
  const cost = times === "" ? "" : `, at ${times} the CPU`;
  return `Runner-up: ${second.contender}${cost}. Compared with it:`;
}

/** Each criterion against the runner-up. */
function whyLines(first: Candidate, second: Candidate, width: number): string[] {
  const rows: readonly (readonly [Criterion, string, Format])[] = [
    ["cpu", "server CPU per message", duration],
    ["latency", "p99 latency", duration],
    ["memory", "memory per connection", bytes],
  ];
  return rows.flatMap(([criterion, name, format]) => {
    const [own, its] = [figureFor(first, criterion), figureFor(second, criterion)];
    if (own === null || its === null) return [`  ${name}: not measured at this scale`];
    const outcome = outcomes[compare(first, second, criterion)];
    const [left, right] = [own, its].map((found) => figureWithInterval(found, format));
    return indented(`${name}: ${outcome}, ${left} against ${right}`, width, "  ");
  });
}

const outcomes = {
  lower: "lower",
  higher: "higher",
  unresolved: "no significant difference",
  unknown: "not measured",
} as const;

/** "1.28 times"; with its interval where the first is the reference, whose own is nothing. */
function ratioBetween({ ratio: own }: Candidate, { ratio: its }: Candidate): string {
  if (own === null || its === null || own.median === 0) return "";
  const median = its.median / own.median;
  const text = own.low === own.high ? figureWithInterval({ ...its, median }, ratio) : ratio(median);
  return `${text} times`;
}

function nodeText({ recommended }: Answer, best: Candidate): string {
  const times = ratioBetween(recommended, best);
  const words = times === "" ? "" : `, at ${times} the CPU per message`;
  return `In Node, without a server in C++: ${best.contender}${words}.`;
}

/** What the answer stands on, and how far it goes. */
function sureText(answer: Answer): string {
  const { recommended, runnerUp, candidates } = answer;
  const blocks = Math.min(...candidates.map((candidate) => candidate.blocks));
  const each = `At least ${plural(blocks, "block")} each`;
  const low = answer.lowConfidence ? " Low confidence: some of these cells are not ranked." : "";
  const first = `How sure: ${basisText(answer)}. ${each}; ${intervalText(answer, blocks)}${low}`;
  if (runnerUp === null || blocks < 2) return first;
  const differ = compare(recommended, runnerUp, "cpu") === "lower" ? "differ" : "do not differ";
  return `${first} The first two ${differ} significantly in CPU.`;
}

function basisText(answer: Answer): string {
  const { corners } = answer;
  const runs = enumerate([...new Set(corners.map(({ point }) => runText(point.run)))]);
  if (basisOf(answer) === "measured") return `measured exactly at this scale, in ${runs}`;
  const between = corners.map(({ point }) => `“${scaleText(point)}”`);
  return `interpolated, not measured, between ${enumerate(between)}, in ${runs}`;
}

function intervalText({ corners }: Answer, blocks: number): string {
  if (blocks < 2) return "one block gives no interval.";
  const coverage = 100 * attainableCoverage(blocks);
  if (coverage >= 95) return "intervals are 95 %.";
  const bootstrapped = corners.some(({ point }) => !point.cells.some(hasStudentRatio));
  const few = `${percent(coverage)} % at most`;
  return bootstrapped
    ? `with so few the intervals cover ${few}, not 95 %.`
    : `intervals of ratios are 95 %; with so few blocks the others cover ${few}.`;
}

function cautionsOf(answer: Answer): string[] {
  const { candidates, corners, question } = answer;
  const names = candidates.filter(({ saturated }) => saturated).map(({ contender }) => contender);
  const between = basisOf(answer) === "interpolated";
  return [
    ...(names.length > 0
      ? [`! Saturated at this rate, without reserve: ${enumerate(names)}.`]
      : []),
    ...(between
      ? ["! The intervals are those of the two scales; interpolation adds an unknown error."]
      : []),
    ...(corners.length > 1 && new Set(corners.map(({ point }) => point.run)).size > 1
      ? ["! The two scales were measured in different runs: compare ratios only."]
      : []),
    ...(question.ratePerSecond === null
      ? ["CPU per message depends on the rate; --rate selects a measured one."]
      : []),
  ];
}

function candidateLines(
  { candidates, recommended }: Answer,
  { width, paint }: AdviceCanvas,
): string[] {
  const name: Column<Candidate> = {
    title: ["", "contender"],
    align: "left",
    text: ({ contender }) => contender,
    style: (candidate) => (candidate === recommended ? "bold" : "plain"),
  };
  // Those at the end go first if there is no room.
  let columns = [name, ...figureColumns];
  while (columns.length > 2 && tableWidth(columns, candidates, 2) > width) {
    columns = columns.slice(0, -1);
  }
  return tableLines(columns, candidates, { gap: 2, paint });
}

const figureColumns: readonly Column<Candidate>[] = [
  column(["CPU µs", "per message"], ({ cpu }) => figureWithInterval(cpu, plainNumber)),
  column(["ratio to", "reference"], ({ ratio: own }) => orAbsent(own, ratio)),
  column(["", "p99"], ({ latencyP99: p99 }) =>
    p99 === null ? absent : figureWithInterval(p99, duration),
  ),
  column(["memory per", "connection"], ({ memory }) => orAbsent(memory, bytes)),
  column(["", "p50"], ({ latencyP50 }) => orAbsent(latencyP50, duration)),
];

function column(
  title: readonly [string, string],
  text: (candidate: Candidate) => string,
): Column<Candidate> {
  return { title, align: "right", text };
}

function orAbsent(figure: Figure | null, format: (value: number) => string): string {
  return figure === null ? absent : format(figure.median);
}
