// What of a report is not to be trusted, or only with care: codes with fields, and how far that
// makes the whole report trustworthy. Their words are in caution-words.ts.

import { type Grade, grades } from "../model/confidence.ts";
import { busyRules, kindOf } from "../model/reasons.ts";
import type { Cell, Results, Status } from "../model/results.ts";
import { type Runtime, runtimeRow, runtimesWith } from "../model/runtimes.ts";
import * as s from "../model/schema.ts";
import { workloadRow } from "../model/workloads/catalogue.ts";
import { attainableCoverage } from "../statistics/bootstrap.ts";
import { figure, type Group, hasStudentRatio, isMeasured } from "./groups.ts";

/** One caution for each code, all with the same fields. */
type Coded<C extends string, F> = C extends string ? { readonly code: C } & Readonly<F> : never;

export type Caution =
  | Coded<"interrupted" | "one-core" | "machine-busy" | "one-block", unknown>
  /** What a bootstrap interval covers at most, in percent; `ratios`: those of ratios, too. */
  | Coded<"few-blocks", { blocks: number; coverage: number; ratios: boolean }>
  /** What was done to end within the budget: numbers of blocks. */
  | Coded<"hurried", { shortened: number; abandoned: number }>
  /** Agents, counted from 1, that were the limit in most windows. */
  | Coded<"limited-by-clients", { agents: readonly number[] }>
  /** What stood still or was lost on the way, in words. */
  | Coded<"machine-faults", { faults: readonly string[] }>
  /** A core is full because the server polls, or saturated because the rate is too much for it. */
  | Coded<"windows-discarded" | "not-ranked" | "polls" | "saturated", { cells: readonly Cell[] }>
  /** The p99 of the sender delay is over `share` of the p99 latency; the largest such delay. */
  | Coded<"sent-late", { cells: readonly Cell[]; share: number; delayUs: number }>
  /** Servers that failed after their last window. */
  | Coded<"failed-afterwards", { cells: readonly Cell[] }>
  /** Runtimes whose engine is in the figures. */
  | Coded<"engine", { engine: string; runtimes: readonly Runtime[] }>;

/** A core counts as full from here on; the capacity regime of measurement uses the same bound. */
const fullCorePercent = 95;

/**
 * Whether the server used up its core, or what other programs left of it: its cost is then the core
 * over the rate. Not in a closed loop, where every server uses its core up, at a cost of its own.
 */
export function isSaturated(cell: Cell): boolean {
  const regime = workloadRow(cell.workload)?.regime;
  return regime !== "capacity" && regime !== "churn" && usesItsCore(cell);
}

function isPoll({ strategy }: Cell): boolean {
  return strategy === "busy-poll";
}

function usesItsCore(cell: Cell): boolean {
  return cell.saturated ?? (figure(cell, "serverCpuPercent")?.median ?? 0) >= fullCorePercent;
}

/** From so many blocks on a percentile interval can cover what it says. */
export const enoughBlocks = 6;

/** From this share of the latency on, the load generator's own delay is a part of what is shown. */
const senderShare = 0.1;

export function cautionsOf({ measured, others }: Group, results: Results): Caution[] {
  const { complete, environment } = results;
  const dropped = [...measured, ...others].filter((cell) => cell.dropped > 0);
  const unranked = [...measured, ...others].filter(({ status }) => status === "inconclusive");
  const saturated = measured.filter((cell) => isSaturated(cell) && !isPoll(cell));
  const late = [...measured, ...others].filter(({ afterwards }) => afterwards !== undefined);
  const polls = measured.filter((cell) => isPoll(cell) && usesItsCore(cell));
  const all: (Caution | false)[] = [
    !complete && { code: "interrupted" },
    // The cores are those of the server's machine.
    environment["fleet"] === undefined &&
      environment["availableCores"] === 1 && { code: "one-core" },
    ...fleetCautions(environment),
    ...hurried(results),
    fewBlocks(measured),
    dropped.length > 0 && { code: "windows-discarded", cells: dropped },
    unranked.length > 0 && { code: "not-ranked", cells: unranked },
    measured.length === 0 && others.some(isBusy) && { code: "machine-busy" },
    polls.length > 0 && { code: "polls", cells: polls },
    saturated.length > 0 && { code: "saturated", cells: saturated },
    ...sentLate(measured),
    late.length > 0 && { code: "failed-afterwards", cells: late },
    ...engines(measured),
  ];
  return all.filter((caution) => caution !== false);
}

function hurried({ settings }: Results): Caution[] {
  const { hurry } = settings;
  return s.satisfies(hurrySchema, hurry) ? [{ code: "hurried", ...hurry }] : [];
}

const hurrySchema = s.record({ shortened: s.number, abandoned: s.number });

/** Of a run over several machines; none of one machine alone. */
function fleetCautions(environment: Results["environment"]): Caution[] {
  if (!s.satisfies(fleetSchema, environment["fleet"])) return [];
  const { limitedByClients: agents, faults } = environment["fleet"];
  return [
    ...(agents.length > 0 ? [{ code: "limited-by-clients", agents } as const] : []),
    ...(faults.length > 0 ? [{ code: "machine-faults", faults } as const] : []),
  ];
}

const fleetSchema = s.record({ limitedByClients: s.list(s.number), faults: s.list(s.text) });

function sentLate(measured: readonly Cell[]): Caution[] {
  const delayOf = (cell: Cell) => figure(cell, "senderDelayP99")?.median ?? 0;
  const cells = measured.filter((cell) => {
    const latency = figure(cell, "latencyP99")?.median ?? null;
    return latency !== null && delayOf(cell) > senderShare * latency;
  });
  if (cells.length === 0) return [];
  const delayUs = Math.max(...cells.map(delayOf));
  return [{ code: "sent-late", cells, share: senderShare, delayUs }];
}

function fewBlocks(cells: readonly Cell[]): Caution | false {
  const blocks = Math.min(...cells.map((cell) => cell.blocks));
  if (blocks >= enoughBlocks) return false;
  if (blocks < 2) return { code: "one-block" };
  const coverage = 100 * attainableCoverage(blocks);
  return { code: "few-blocks", blocks, coverage, ratios: !cells.some(hasStudentRatio) };
}

/** Whether something else that ran is why its blocks were dropped. */
function isBusy({ cause, dropped }: Cell): boolean {
  if (dropped === 0 || cause?.code !== "disturbed") return false;
  return cause.rules.some(({ rule }) => busyRules.includes(rule));
}

function engines(cells: readonly Cell[]): Caution[] {
  const used = new Set(cells.map(({ runtime }) => runtimeRow(runtime).engine));
  return [...used]
    .filter((engine) => engine !== null)
    .map((engine) => ({ code: "engine", engine, runtimes: runtimesWith(engine) }));
}

/** `sound`: nothing against it. `careful`: read the cautions. `broken`: something failed. */
export type Level = "sound" | "careful" | "broken";

export interface Confidence {
  readonly level: Level;
  /** Cells with a plain result, of all. */
  readonly ranked: number;
  readonly cells: number;
  /** Discarded windows, and the number of their cells. */
  readonly windows: { readonly dropped: number; readonly cells: number };
  /** Apart from the windows: of the group that the report opens with. */
  readonly cautions: readonly Caution[];
  readonly exclusions: readonly ExcludedCells[];
  /** How many cells have each grade; empty for results of earlier versions. */
  readonly graded: readonly { readonly grade: Grade; readonly cells: number }[];
  /** Cells of low confidence, whose doubts say why. */
  readonly low: readonly Cell[];
}

/** Cells without a ranking, for causes of one kind. */
export interface ExcludedCells {
  readonly status: Status;
  readonly cells: readonly Cell[];
}

export function confidenceOf(results: Results, opening: Group | undefined): Confidence {
  const { cells } = results;
  const ranked = cells.filter(isMeasured).length;
  const disturbed = cells.filter(({ dropped }) => dropped > 0);
  const failed = cells.some(({ status, mismatches }) => status === "failed" || mismatches > 0);
  const noisy = cells.some(({ status }) => status === "inconclusive");
  const of = (grade: Grade) => cells.filter(({ confidence }) => confidence?.grade === grade);
  const graded = grades.map((grade) => ({ grade, cells: of(grade).length }));
  const isGraded = graded.some(({ cells: number }) => number > 0);
  const low = of("low");
  // A grade takes into account what was discarded.
  const unsure = isGraded ? low.length > 0 : disturbed.length > 0;
  const doubtful = noisy || !results.complete || unsure;
  const cautions = opening === undefined ? [] : cautionsOf(opening, results);
  return {
    level: failed || ranked === 0 ? "broken" : doubtful ? "careful" : "sound",
    ranked,
    cells: cells.length,
    windows: {
      dropped: disturbed.reduce((sum, cell) => sum + cell.dropped, 0),
      cells: disturbed.length,
    },
    // The windows have a sentence of their own, and the exclusions a list.
    cautions: cautions.filter(({ code }) => code !== "windows-discarded" && code !== "not-ranked"),
    exclusions: exclusionsOf(cells.filter((cell) => !isMeasured(cell))),
    graded: isGraded ? graded.filter(({ cells: number }) => number > 0) : [],
    low,
  };
}

function exclusionsOf(cells: readonly Cell[]): ExcludedCells[] {
  const found = new Map<string, Cell[]>();
  for (const cell of cells) {
    const kind = cell.cause === undefined ? cell.reason : kindOf(cell.cause);
    const key = `${cell.status} ${kind}`;
    found.set(key, [...(found.get(key) ?? []), cell]);
  }
  return [...found.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ status: first.status, cells: same }];
  });
}
