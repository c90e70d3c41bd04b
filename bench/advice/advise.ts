// Which strategy fits: the least CPU per message, then the lower p99, then the smaller memory per
// connection, each only if the intervals do not meet. It decides from runs of one machine, and
// returns an answer with its evidence, or a refusal that names the run that would measure it. Pure.

import type { MetricName, Results } from "../model/results.ts";
import { runtimeRow } from "../model/runtimes.ts";
import { isSaturated } from "../report/cautions.ts";
import { plainLine } from "../report/format.ts";
import { type Figure, figure } from "../report/groups.ts";
import { cornersOf, namesAt } from "./corners.ts";
import { counts, elsewhereOf, memoryCell, pointsOf } from "./points.ts";
import type {
  Advice,
  Answer,
  Candidate,
  Corner,
  Criterion,
  ExcludedContender,
  Question,
} from "./question.ts";
import { nearestScales, refuse, scaleOf } from "./refuse.ts";

/** @param runs of one machine, in any order. */
export function advise(runs: readonly Results[], question: Question): Advice {
  const sound = answerFrom(runs, question);
  if (sound !== null) return sound;
  const seen = runs.map(withUnranked);
  const unranked = answerFrom(seen, question);
  if (unranked !== null) return { ...unranked, lowConfidence: true };
  const points = pointsOf(seen);
  const place = nearestScales(points, question)[0];
  const nearest = place === undefined ? null : answerFrom(seen, scaleOf(place));
  return {
    ...refuse(points, question),
    elsewhere: elsewhereOf(seen, question),
    nearest: nearest === null ? null : { ...nearest, lowConfidence: true },
  };
}

/** Cells that were seen and are not ranked stand in for what nothing better answers. */
function withUnranked(run: Results): Results {
  const cells = run.cells.map((cell) =>
    cell.status === "inconclusive" && figure(cell, "serverCpuPerMessage") !== undefined
      ? { ...cell, status: "tie" as const, reason: null }
      : cell,
  );
  return { ...run, cells };
}

/** Null if no contender was measured at the scale or on both sides of it. */
function answerFrom(runs: readonly Results[], question: Question): Answer | null {
  const corners = cornersOf(pointsOf(runs), question);
  const names = corners === null ? [] : namesAt(corners);
  if (corners === null || names.length === 0) return null;
  const candidates = names
    .map((name) => candidateOf(name, corners, memoryOf(runs, name, question)))
    .sort((one, other) => one.cpu.median - other.cpu.median);
  const { first, decidedBy, tied } = choose(candidates);
  const rivals = candidates.filter((candidate) => candidate !== first);
  const ofNode = candidates.filter(({ runtime }) => runtimeRow(runtime).engine === "JavaScript");
  return {
    kind: "answer",
    question,
    lowConfidence: false,
    ratePerSecond: blend(corners, ({ point }) => point.ratePerSecond),
    corners,
    reference: corners[0]?.point.run.reference ?? "",
    recommended: first,
    runnerUp: rivals.length === 0 ? null : choose(rivals).first,
    decidedBy,
    tied,
    inNode: ofNode.length === 0 || ofNode.includes(first) ? null : choose(ofNode).first,
    candidates,
    excluded: excludedOf(corners, names),
  };
}

/** How two figures stand to each other: resolved only if their intervals do not meet. */
type CandidateComparison = "lower" | "higher" | "unresolved" | "unknown";

export function compare(
  one: Candidate,
  other: Candidate,
  criterion: Criterion,
): CandidateComparison {
  // Ratios are taken within blocks, so they resolve differences that absolute figures do not.
  const both = criterion === "cpu" && one.ratio !== null && other.ratio !== null;
  const [own, its] = both
    ? [one.ratio, other.ratio]
    : [figureFor(one, criterion), figureFor(other, criterion)];
  if (own === null || its === null) return "unknown";
  if (own.low === null || own.high === null || its.low === null || its.high === null) {
    return "unresolved";
  }
  if (own.high < its.low) return "lower";
  return own.low > its.high ? "higher" : "unresolved";
}

export function figureFor(candidate: Candidate, criterion: Criterion): Figure | null {
  if (criterion === "cpu") return candidate.cpu;
  return criterion === "latency" ? candidate.latencyP99 : candidate.memory;
}

const criteria: readonly Criterion[] = ["cpu", "latency", "memory"];

interface Choice {
  readonly first: Candidate;
  readonly decidedBy: Criterion | null;
  readonly tied: readonly Candidate[];
}

/** Each criterion keeps the candidates that do not differ significantly from its best. */
function choose(candidates: readonly Candidate[]): Choice {
  let left = candidates;
  let decidedBy: Criterion | null = null;
  for (const criterion of criteria) {
    const stay = left.filter((one) => !isBeaten(one, left, criterion));
    if (stay.length < left.length) decidedBy = criterion;
    left = stay;
  }
  // The remaining ones do not differ significantly: the lowest measured CPU comes first.
  const [first, ...tied] = left;
  if (first === undefined) throw new Error("no candidates");
  return { first, decidedBy: tied.length === 0 ? decidedBy : null, tied };
}

function isBeaten(one: Candidate, rivals: readonly Candidate[], criterion: Criterion): boolean {
  return rivals.some((rival) => compare(rival, one, criterion) === "lower");
}

function candidateOf(name: string, corners: readonly Corner[], memory: Figure | null): Candidate {
  // What the reference costs in its own terms has no error, whatever interval its cell has.
  const isReference = corners.every(({ point }) => point.run.reference === name);
  const cells = corners.map(({ point, weight }) => ({
    cell: point.cells.find((cell) => cell.contender === name && counts(cell)),
    weight,
  }));
  const at = (metric: MetricName) =>
    blendFigures(
      cells.map(({ cell, weight }) => ({
        found: cell === undefined ? undefined : figure(cell, metric),
        weight,
      })),
    );
  return {
    contender: plainLine(name),
    runtime: cells[0]?.cell?.runtime ?? "foreign",
    cpu: at("serverCpuPerMessage") ?? { median: Number.NaN, low: null, high: null },
    ratio: isReference ? { median: 1, low: 1, high: 1 } : at("ratioToReference"),
    latencyP50: at("latencyP50"),
    latencyP99: at("latencyP99"),
    memory,
    cpuPercent: at("serverCpuPercent"),
    saturated: cells.some(({ cell }) => cell !== undefined && isSaturated(cell)),
    blocks: Math.min(...cells.map(({ cell }) => cell?.blocks ?? 0)),
  };
}

interface Share {
  readonly found: Figure | undefined;
  readonly weight: number;
}

/** The weighted geometric mean of each of the three; null if a corner has no such figure. */
function blendFigures(shares: readonly Share[]): Figure | null {
  const mean = (of: (figure: Figure) => number | null): number | null => {
    let sum = 0;
    for (const { found, weight } of shares) {
      const value = found === undefined ? null : of(found);
      if (value === null || value <= 0) return null;
      sum += weight * Math.log(value);
    }
    return Math.exp(sum);
  };
  const [only] = shares;
  if (shares.length === 1) return only?.found ?? null;
  const median = mean((figure) => figure.median);
  if (median === null) return null;
  return { median, low: mean(({ low }) => low), high: mean(({ high }) => high) };
}

function blend(corners: readonly Corner[], of: (corner: Corner) => number): number {
  const [only] = corners;
  if (only !== undefined && corners.every((corner) => of(corner) === of(only))) return of(only);
  return Math.exp(corners.reduce((sum, each) => sum + each.weight * Math.log(of(each)), 0));
}

function memoryOf(runs: readonly Results[], name: string, { connections }: Question) {
  const cell = memoryCell(runs, name, connections);
  return cell === null ? null : (figure(cell, "userBytesPerConnection") ?? null);
}

function excludedOf(corners: readonly Corner[], names: readonly string[]): Answer["excluded"] {
  const causes = new Map<string, ExcludedContender["cause"]>();
  for (const { point } of corners) {
    for (const cell of point.cells.filter(({ contender }) => !names.includes(contender))) {
      const { contender, status, reason } = cell;
      if (!counts(cell)) causes.set(contender, { code: "not-ranked", status, reason });
      else if (!causes.has(contender)) causes.set(contender, { code: "partly-measured" });
    }
  }
  return [...causes].map(([contender, cause]) => ({ contender, cause }));
}
