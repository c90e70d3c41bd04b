// From rounds to cells: discards invalid windows, pairs blocks with the reference. Pure.

import type { Contender } from "../contenders/catalogue.ts";
import { type CellConfidence, confidenceOf, type Evidence } from "../model/confidence.ts";
import { causeText } from "../model/reasons.ts";
import type { Cell, Metric, MetricName } from "../model/results.ts";
import { encodeHistogram } from "../statistics/hdr-encoding.ts";
import { merge } from "../statistics/histogram.ts";
import { type CommonSpread, pooledSpread } from "../statistics/moderated.ts";
import { median } from "../statistics/quantile.ts";
import { deriveSeed } from "../statistics/random.ts";
import { rankedEffect } from "../statistics/ratio.ts";
import { emptyMetric, summarizeRatio } from "../statistics/summary.ts";
import type { BlockData } from "./block-data.ts";
import {
  type Circumstances,
  conclude,
  isFilled,
  isSaturated,
  type Saturation,
} from "./conclusion.ts";
import {
  type Course,
  countingBlocks,
  type Judged,
  judgedRounds,
  type PairedBlock,
  pairBlocks,
  type Refusal,
  undisturbedShare,
} from "./judge.ts";
import { metricsOf, pairOf, pairOfLoads } from "./metrics.ts";
import { baselineIndex, type Part, type Plan, type Scenario } from "./plan.ts";
import type { Round } from "./round.ts";
import { divide, sum, total } from "./window-sums.ts";

/** How far the run of a part got. */
export interface PartOutcome {
  readonly rounds: readonly Round[];
  /** For each scenario, by contender: those that were not run at all. */
  readonly refusals: readonly ReadonlyMap<string, Refusal>[];
  /** How many blocks a contender of a scenario is to have. */
  readonly planned: (scenarioIndex: number, contender: string) => number;
  readonly interrupted: boolean;
}

/** A cell for each contender of each scenario of the part, in the plan's order. */
export function cellsOf(plan: Plan, part: Part, outcome: PartOutcome): Cell[] {
  return part.scenarios.flatMap((scenario, scenarioIndex) => {
    const courses = part.contenders.map((contender) =>
      courseOf(part, outcome, { scenarioIndex, contender }),
    );
    const reference = courses.find(({ contender }) => contender.name === plan.reference);
    const common = commonSpread(scenario, courses, reference);
    return courses.map((course) => {
      const baseline = baselineOf(part, outcome, { scenario, course });
      return cellOf({ plan, part, scenario, outcome }, { course, reference, baseline, common });
    });
  });
}

/** The reference's rounds of a scenario; null if it took no part or was not measured. */
export function referenceRounds(
  plan: Plan,
  part: Part,
  { outcome, scenarioIndex }: { readonly outcome: PartOutcome; readonly scenarioIndex: number },
): readonly Judged[] | null {
  const contender = part.contenders.find(({ name }) => name === plan.reference);
  if (contender === undefined) return null;
  return usableRounds(courseOf(part, outcome, { scenarioIndex, contender }));
}

interface CellPlace {
  readonly plan: Plan;
  readonly part: Part;
  readonly scenario: Scenario;
  readonly outcome: PartOutcome;
}

interface Courses {
  readonly course: Course;
  /** Undefined if it was not measured. */
  readonly reference: Course | undefined;
  /** The same contender in the workload's baseline variant; null if there is none. */
  readonly baseline: readonly Judged[] | null;
  readonly common: CommonSpread | null | undefined;
}

/** The spread of the log ratios of all contenders not saturated; undefined unless interleaved. */
function commonSpread(
  { workload }: Scenario,
  courses: readonly Course[],
  reference: Course | undefined,
): CommonSpread | null | undefined {
  const interleaved = courses.some(({ judged }) => judged.some(tookTurns));
  if (!interleaved || !workload.comparesToReference) return undefined;
  const usable = usableRounds(reference);
  const samples = courses
    .filter((course) => course !== reference)
    .map((course) => countingBlocks(pairBlocks(course.judged, usable), course.planned))
    .filter((paired) => !isSaturated(saturationIn(paired)))
    .map((paired) =>
      paired
        .flatMap((block) => pairOf(workload.headline, block.own, block.reference))
        .map((pair) => Math.log(pair.value / pair.reference)),
    );
  return pooledSpread(samples);
}

const tookTurns = ({ round }: Judged) => round.windowsPerTurn !== null;

function cellOf({ plan, part, scenario, outcome }: CellPlace, courses: Courses): Cell {
  const { course, reference } = courses;
  const { workload, variant, load, ratePerSecond } = scenario;
  const usable = usableRounds(reference);
  // Without a comparison, a disturbance of the reference does not affect the others.
  const base = workload.comparesToReference ? usable : null;
  const paired = countingBlocks(pairBlocks(course.judged, base), course.planned);
  const saturation = saturationIn(paired);
  // Its cost is the CPU over the rate: the reference's variation is in its ratio, and none cancels.
  const ownSpread = courses.common !== undefined && isSaturated(saturation);
  const common = ownSpread ? null : courses.common;
  const metrics = figuresOf(plan, workload, { ...courses, paired, saturation, common });
  const { ratioToReference: ratio } = metrics;
  // The reference is not compared with itself.
  const compared = course === reference || ratio?.median === null ? undefined : ratio;
  const effect = ratio === undefined ? null : rankedEffect(ratio, common);
  const disturbedBlocks = paired.filter(({ disturbed }) => disturbed).length;
  const results = course.judged.map(({ round }) => round.result);
  return {
    workload: workload.name,
    contender: course.contender.name,
    runtime: course.contender.runtime,
    strategy: course.contender.strategy,
    connections: load.connections,
    activeConnections: load.activeConnections,
    payloadBytes: load.payloadBytes,
    ratePerSecond,
    ...(load.mode === "share" ? { capacityPercent: load.capacityPercent } : {}),
    ...(variant === null ? {} : { variant }),
    headline: workload.headline,
    ...endingOf(course, {
      workload,
      reference: plan.reference,
      comparable: usable !== null || !part.contenders.some(({ name }) => name === plan.reference),
      blocks: paired.length,
      saturation,
      interrupted: outcome.interrupted,
      metrics,
      detectableEffect: effect,
      common,
    }),
    blocks: paired.length,
    disturbedBlocks,
    saturated: isSaturated(saturation),
    confidence: confidenceIn(compared ?? metrics[workload.headline], {
      blocks: paired.length,
      disturbedBlocks,
    }),
    dropped: discardedWindows(course, paired),
    droppedBlocks: course.judged.length - paired.length,
    detectableEffect: effect,
    messages: sum(results.map((result) => result?.messages ?? 0)),
    mismatches: sum(results.map((result) => (result?.mismatches ?? 0) + (result?.missing ?? 0))),
    metrics: workload.mustFill ? capacityOf(metrics, saturation) : metrics,
    ...factsOf(course),
    ...afterwardsOf(course),
    latencyHistogram: histogramOf(paired, "latency"),
    latencyHistogramUncorrected: histogramOf(paired, "latencyUncorrected"),
  };
}

/** Those of a server that failed are no question of the machine. */
function discardedWindows({ judged }: Course, paired: readonly PairedBlock[]): number {
  const whole = judged.filter(({ round }) => round.failure === null);
  const measured = sum(whole.map(({ round }) => round.windows.length));
  return measured - sum(paired.map(({ own }) => own.windows.length));
}

interface ScenarioBlocks {
  readonly paired: readonly PairedBlock[];
  readonly saturation: Saturation;
  readonly baseline: readonly Judged[] | null;
  readonly common: CommonSpread | null | undefined;
}

type Metrics = Partial<Record<MetricName, Metric>>;

function figuresOf(
  plan: Plan,
  workload: Scenario["workload"],
  { paired, saturation, baseline, common }: ScenarioBlocks,
): Metrics {
  if (paired.length === 0) return {};
  const { headline, metrics: names, comparesToReference } = workload;
  const seed = deriveSeed(plan.seed, "bootstrap");
  const options = common === undefined ? { seed } : { seed, common };
  const own = paired.map((block) => block.own);
  const metrics = metricsOf([headline, ...names], own, plan.seed);
  if (comparesToReference && !(workload.mustFill && !isFilled(metrics, saturation))) {
    const pairs = paired.flatMap((block) => pairOf(headline, block.own, block.reference));
    metrics.ratioToReference = summarizeRatio(pairs, options);
  }
  if (baseline !== null && workload.baseline !== undefined) {
    const { metric } = workload.baseline;
    const pairsWith = (rounds: readonly Judged[]) =>
      own.flatMap((block) => pairOfLoads(metric, block, inBlock(rounds, block)));
    const sound = pairsWith(baseline.filter(({ disturbed }) => !disturbed));
    const pairs = sound.length >= undisturbedShare * own.length ? sound : pairsWith(baseline);
    // Minutes apart: the common spread is that of neighbouring windows.
    metrics.ratioToBaseline = summarizeRatio(pairs, { seed });
  }
  return metrics;
}

/** The cause as data, and in words for readers of the file. */
function endingOf(course: Course, circumstances: Circumstances) {
  const { status, cause } = conclude(course, circumstances);
  return cause === null ? { status, reason: null } : { status, reason: causeText(cause), cause };
}

/** How the server failed after its last window, if it did. */
function afterwardsOf({ judged }: Course): Pick<Cell, "afterwards"> {
  const afterwards = judged.map(({ round }) => round.afterwards).find((words) => words !== null);
  return afterwards == null ? {} : { afterwards };
}

function factsOf({ judged }: Course): Pick<Cell, "facts"> {
  const facts: Record<string, string> = {};
  for (const { round } of judged) Object.assign(facts, round.delivered?.facts);
  return Object.keys(facts).length === 0 ? {} : { facts };
}

/** A lower bound has a name of its own, so that it is never ranked. */
function capacityOf(metrics: Metrics, saturation: Saturation): Metrics {
  const { throughput, messagesPerCpuSecond, ...rest } = metrics;
  if (throughput === undefined) return metrics;
  if (!isFilled(rest, saturation)) return { throughputAtLeast: throughput, ...rest };
  const capacity = messagesPerCpuSecond === undefined ? {} : { messagesPerCpuSecond };
  return saturation.cpuShare < 1 ? { ...capacity, ...rest } : { ...capacity, throughput, ...rest };
}

function saturationIn(paired: readonly PairedBlock[]): Saturation {
  const shareOfTime = (field: Parameters<typeof total>[1]) => {
    const shares = paired.flatMap(
      ({ own: { windows } }) => divide(total(windows, field), total(windows, "durationNs")) ?? [],
    );
    return shares.length === 0 ? null : median(shares);
  };
  return {
    cpuShare: paired[0]?.own.round.cpuShare ?? 1,
    usedShare: shareOfTime("serverCpuNs"),
    readyShare: shareOfTime("serverReadyNs"),
  };
}

function courseOf(
  part: Part,
  { rounds, refusals, planned }: PartOutcome,
  place: { readonly scenarioIndex: number; readonly contender: Contender },
): Course {
  const { name } = place.contender;
  const judged = judgedRounds(part, rounds, place);
  const found = (field: "failure" | "unavailable") =>
    judged.map(({ round }) => round[field]).find((reason) => reason !== null) ?? null;
  return {
    contender: place.contender,
    refusal: refusals[place.scenarioIndex]?.get(name) ?? null,
    judged,
    failure: found("failure"),
    unavailable: found("unavailable"),
    planned: planned(place.scenarioIndex, name),
  };
}

/** Null for the baseline itself. */
function baselineOf(
  part: Part,
  { rounds }: PartOutcome,
  { scenario, course }: { readonly scenario: Scenario; readonly course: Course },
): readonly Judged[] | null {
  const scenarioIndex = baselineIndex(part, scenario.workload);
  if (scenarioIndex < 0 || part.scenarios[scenarioIndex]?.variant === scenario.variant) return null;
  return judgedRounds(part, rounds, { scenarioIndex, contender: course.contender });
}

function usableRounds(course: Course | undefined): readonly Judged[] | null {
  const { failure, refusal, unavailable } = course ?? {};
  const measured = failure === null && refusal === null && unavailable === null;
  return measured ? (course?.judged ?? null) : null;
}

function inBlock(judged: readonly Judged[], { round }: BlockData): BlockData | null {
  return judged.find((candidate) => candidate.round.block === round.block)?.data ?? null;
}

/** From the interval of the ratio, or of the main figure if the cell is not compared. */
function confidenceIn(
  figure: Metric | undefined,
  counted: Omit<Evidence, "halfWidth">,
): CellConfidence | null {
  const { median, low, high } = figure ?? emptyMetric("");
  // A figure that is not above zero is lost in noise.
  if (median === null || median <= 0) return null;
  const halfWidth = low === null || high === null ? null : (high - low) / 2 / median;
  return confidenceOf({ ...counted, halfWidth });
}

function histogramOf(paired: readonly PairedBlock[], field: "latency" | "latencyUncorrected") {
  const merged = merge(paired.map(({ own }) => own.latency(field)));
  return merged.count === 0 ? null : encodeHistogram(merged);
}
