// One run of the gate between two built trees: blocks of base, base again and head; exact counts;
// the rule; one confirmation of whatever is suspected; the controls. docs/regression.md says why
// each is there.

import { contenders } from "../contenders/catalogue.ts";
import { endEverything } from "../host/host.ts";
import type { Kind } from "../model/runtimes.ts";
import { openCpuShare } from "../run/cpu-share.ts";
import type { RoundContext } from "../run/round.ts";
import { deriveSeed } from "../statistics/random.ts";
import type { Control, GateNote } from "./controls.ts";
import { countOne, measureExact } from "./exact.ts";
import { type GateMetric, gateMetric } from "./metrics.ts";
import { judgementOf, mediansOf, type Outcome, outcomeOf, withReason } from "./outcome.ts";
import {
  endingFailure,
  type Failures,
  headFailure,
  measurePairs,
  type PairContext,
  type PairCourse,
  pairsOf,
  scenarioOf,
} from "./pairs.ts";
import { plantedControls } from "./planted.ts";
import { plantedCostControls } from "./planted-cost.ts";
import type { ExactRow, GateProfile, LoadRow } from "./profiles.ts";
import type { GateCell } from "./result.ts";
import { compareAll, confirms, type Finding, findAll, type Test } from "./rule.ts";
import { contenderOf, type Side, sideName, type Trees } from "./sides.ts";

export interface GateRequest {
  readonly trees: Trees;
  readonly profile: GateProfile;
  readonly seed: number;
  /** Advisory metrics that are to gate, too. */
  readonly asked: readonly string[];
  /** For what is compiled on the way; the caller removes it. */
  readonly folder: string;
}

export interface GateOutcome {
  readonly outcome: Outcome;
  readonly cells: readonly GateCell[];
  readonly controls: readonly Control[];
  readonly notes: readonly GateNote[];
}

/** Base and head could not be compared at all. */
export class CannotCompare extends Error {
  override readonly name = "CannotCompare";
}

interface GateContext {
  readonly context: RoundContext;
  readonly onProgress: (line: string) => void;
}

/** @throws {CannotCompare} where the base itself fails. @throws {Interrupted} */
export async function runGate(request: GateRequest, given: GateContext): Promise<GateOutcome> {
  const loads = request.profile.loads.flatMap((row) => asAsked(row, request.asked));
  const { context } = given;
  const cpuShare = openCpuShare(loads.map(scenarioOf), context);
  try {
    return await gateUnder(loads, request, { ...given, context: { ...context, cpuShare } });
  } finally {
    await endEverything(context.host);
    cpuShare?.remove();
  }
}

async function gateUnder(
  loads: readonly LoadRow[],
  { profile, seed, trees, asked, folder }: GateRequest,
  given: GateContext,
): Promise<GateOutcome> {
  const pairContext: PairContext = { ...given, trees, seed };
  const { exact, notes } = await availableExact(profile.exact, pairContext);
  refuseUncounted(notes, asked);
  const plants = profile.loads.some(({ plantedPercent }) => plantedPercent != null);
  if (!plants && !exact.some(({ metric }) => metric === "systemCalls")) {
    // What is measured now could not be trusted afterwards.
    return { outcome: "untrustworthy", cells: [], controls: [noTracer], notes };
  }
  const rows: GateRow[] = [
    ...exact.map(
      (row): GateRow => ({ ...row, kind: "exact", workload: "exact", metrics: [row.metric] }),
    ),
    ...loads.map((row): GateRow => ({ ...row, kind: "load" })),
  ];
  const measured: MeasuredRow[] = [];
  for (const row of rows) measured.push({ row, courses: await measure(row, pairContext) });
  const trials = measured.flatMap((one) => trialsOf(one, asked));
  const findings = findAll(trials.map(({ test }) => test));
  const selves = findAll(trials.map(({ self }) => self));
  const { confirmed, fresh } = await confirm(trials, { findings, selves }, pairContext);
  notes.push(...[...measured, ...fresh].flatMap(failureNotes));
  const cells = trials.map((trial, index) => ({
    ...cellOf(trial, findings[index], confirmed[index]),
    again: selves[index]?.comparison ?? null,
    ...shareIn(trial.row, given.context),
  }));
  const counted = measured.find(({ row }) => row.kind === "exact" && row.metric === "systemCalls");
  const controls: Control[] = [selfControl(trials, selves, confirmed)];
  if (counted?.row.kind === "exact") {
    const { row, courses } = counted;
    controls.push(...(await plantedControls(row, courses, { folder, given: pairContext })));
  }
  for (const { row, courses } of measured) {
    if (row.kind === "load") controls.push(...plantedCostControls(row, courses));
  }
  return { outcome: outcomeOf(cells, controls), cells, controls, notes };
}

type GateRow =
  | (LoadRow & { readonly kind: "load" })
  | (ExactRow & {
      readonly kind: "exact";
      readonly workload: "exact";
      readonly metrics: readonly string[];
    });

interface MeasuredRow {
  readonly row: GateRow;
  readonly courses: readonly PairCourse[];
}

/** One metric of one contender: head against base, and base against itself. */
interface Trial {
  readonly row: GateRow;
  readonly course: PairCourse;
  readonly metric: GateMetric;
  readonly test: Test;
  readonly self: Test;
}

const noTracer: Control = {
  held: false,
  code: "planted-call",
  contender: null,
  ratio: null,
  cause: { code: "no-tracer" },
};

/** What is to decide and is never measured would pass. @throws {CannotCompare} */
export function refuseUnmeasured(
  { name, loads, exact }: GateProfile,
  asked: readonly string[],
): void {
  const measured = [...loads.flatMap(({ metrics }) => metrics), ...exact.map((row) => row.metric)];
  const missing = asked.filter((metric) => !measured.includes(metric));
  if (missing.length === 0) return;
  const names = missing.join(", ");
  throw new CannotCompare(`--gate: the profile "${name}" does not measure ${names} here`);
}

/** What the user wants to decide must not pass uncounted. @throws {CannotCompare} */
function refuseUncounted(notes: readonly GateNote[], asked: readonly string[]): void {
  for (const note of notes) {
    if (note.code !== "not-counted" || !asked.includes(note.metric)) continue;
    throw new CannotCompare(`--gate: ${note.metric} cannot be counted here: ${note.text}`);
  }
}

/** What gates needs all of its pairs; what only informs does with fewer, or is left out. */
export function asAsked(row: LoadRow, asked: readonly string[]): LoadRow[] {
  const { metrics, attempts, pairsUnasked } = row;
  if (pairsUnasked === undefined || metrics.some((name) => asked.includes(name))) return [row];
  if (pairsUnasked === 0) return [];
  return [{ ...row, pairs: pairsUnasked, attempts: Math.min(attempts, 2 * pairsUnasked) }];
}

/** Rows whose tool works here, tried on the base; the others become notes. */
async function availableExact(rows: readonly ExactRow[], { trees, context }: PairContext) {
  const exact: ExactRow[] = [];
  const notes: GateNote[] = [];
  for (const row of rows) {
    const [name = ""] = row.contenders;
    const trial = { metric: row.metric, messages: 25 };
    const told = await countOne(trial, contenderOf(name, "base", trees), context);
    if (typeof told === "number") exact.push(row);
    else notes.push({ code: "not-counted", metric: row.metric, text: told.text });
  }
  return { exact, notes };
}

async function measure(row: GateRow, given: PairContext): Promise<PairCourse[]> {
  const courses = await (row.kind === "exact"
    ? measureExact(row, given)
    : measurePairs(row, given));
  for (const { contender, failures } of courses) {
    for (const side of ["base", "again"] as const) {
      const failure = endingFailure(failures[side]);
      if (failure === undefined) continue;
      throw new CannotCompare(`the base fails: ${sideName(contender, side)}: ${failure.text}`);
    }
  }
  return courses;
}

/** For each side, the rounds that failed. */
function failureNotes({ row, courses }: MeasuredRow): GateNote[] {
  const { workload } = row;
  return courses.flatMap(({ contender, failures }) =>
    (Object.keys(failures) as Side[]).flatMap((side): GateNote[] => {
      const [first, ...others] = failures[side];
      if (first === undefined) return [];
      const [server, count] = [sideName(contender, side), 1 + others.length];
      return [{ code: "rounds-failed", server, workload, count, first: first.text }];
    }),
  );
}

function trialsOf({ row, courses }: MeasuredRow, asked: readonly string[]): Trial[] {
  return courses.flatMap((course) =>
    row.metrics.map((name) => {
      const metric = gateMetric(name);
      const common = {
        ...metric,
        id: `${row.workload} ${course.contender} ${name}`,
        gates: metric.gates || asked.includes(name),
        planned: row.pairs,
      };
      const test = { ...common, pairs: pairsOf(course, name, "head") };
      const self = { ...common, pairs: pairsOf(course, name, "again") };
      return { row, course, metric, test, self };
    }),
  );
}

interface Confirmed {
  readonly head: ReturnType<typeof compareAll>[number];
  /** Null if nothing had to be confirmed. */
  readonly agrees: boolean | null;
  readonly selfAgrees: boolean | null;
  /** Those of the fresh blocks; none if there were none. */
  readonly failures: readonly Failures[];
}

const unasked: Confirmed = { head: null, agrees: null, selfAgrees: null, failures: [] };

/** Fresh blocks of every contender that is suspected, once; what they say stands. */
async function confirm(
  trials: readonly Trial[],
  { findings, selves }: { readonly findings: Finding[]; readonly selves: Finding[] },
  given: PairContext,
): Promise<{ readonly confirmed: Confirmed[]; readonly fresh: MeasuredRow[] }> {
  const doubted = trials.filter(({ test, course }, index) => {
    // The failure of a head's server stands without a confirmation.
    const open = findings[index]?.word === "suspected" && headFailure([course.failures]) === null;
    return test.gates && (open || isAlarm(selves[index]));
  });
  const fresh: MeasuredRow[] = [];
  const trialOf = new Map<string, Trial>();
  const failuresAgain = new Map<PairCourse, readonly Failures[]>();
  const again = { ...given, seed: deriveSeed(given.seed, "confirmation") };
  for (const row of new Set(doubted.map((trial) => trial.row))) {
    const whose = doubted.filter((trial) => trial.row === row);
    const contenders = [...new Set(whose.map(({ course }) => course.contender))];
    const metrics = [...new Set(whose.map(({ metric }) => metric.name))];
    given.onProgress(`confirming ${metrics.join(", ")} of ${contenders.join(", ")}`);
    const part: GateRow =
      row.kind === "load" ? { ...row, contenders, plantedPercent: null } : { ...row, contenders };
    const asked = metrics.map(String);
    const measured = { row: part, courses: await measure(part, again) };
    fresh.push(measured);
    for (const { course } of whose) {
      const same = measured.courses.find(({ contender }) => contender === course.contender);
      if (same !== undefined) failuresAgain.set(course, [same.failures]);
    }
    for (const trial of trialsOf(measured, asked)) {
      if (doubted.some(({ test }) => test.id === trial.test.id)) trialOf.set(trial.test.id, trial);
    }
  }
  const tests = [...trialOf.values()];
  const heads = compareAll(tests.map(({ test }) => test));
  const bases = compareAll(tests.map(({ self }) => self));
  const confirmed = trials.map(({ test, course }, index) => {
    const at = tests.findIndex((trial) => trial.test.id === test.id);
    const failures = failuresAgain.get(course) ?? [];
    if (at < 0) return { ...unasked, failures };
    const [head, base] = [heads[at] ?? null, bases[at] ?? null];
    const [finding, self] = [findings[index], selves[index]];
    return {
      head,
      agrees: finding?.comparison == null ? null : confirms(finding.comparison, head, test),
      selfAgrees: self?.comparison == null ? null : confirms(self.comparison, base, test),
      failures,
    };
  });
  return { confirmed, fresh };
}

/** The part of their CPU that the servers of a row had, if they had a part. */
function shareIn(row: GateRow, { cpuShare }: RoundContext): Pick<GateCell, "cpuShare"> {
  const shared = row.kind === "load" && scenarioOf(row).workload.mustFill;
  return shared && cpuShare != null ? { cpuShare: cpuShare.share } : {};
}

function isAlarm(finding: Finding | undefined): boolean {
  return finding?.word === "suspected" || finding?.word === "improvement";
}

function cellOf(
  { row, course, metric, test }: Trial,
  finding: Finding | undefined,
  confirmed: Confirmed = unasked,
): GateCell {
  const failure = headFailure([course.failures, ...confirmed.failures]);
  const unclear: Finding = { word: "unclear", cause: { code: "not-measured" }, comparison: null };
  const { pairs: blocks, gates, margin } = test;
  const judged = judgementOf(finding ?? unclear, confirmed.head, gates ? confirmed.agrees : null);
  const cause = { code: "said", text: failure ?? "" } as const;
  return {
    ...withReason(failure === null ? judged : { ...judged, verdict: "failed", cause }),
    workload: row.workload,
    contender: course.contender,
    ...kindIn(course.contender),
    metric: metric.name,
    gates,
    margin,
    ...mediansOf(blocks),
    blocks,
  };
}

/** Gates measure contenders of the catalogue. */
function kindIn(name: string): Kind {
  const row = contenders.find((contender) => contender.name === name);
  return { runtime: row?.runtime ?? "foreign", strategy: row?.strategy ?? name };
}

/** The base must not differ from itself, to either side. */
function selfControl(
  trials: readonly Trial[],
  selves: readonly Finding[],
  confirmed: readonly Confirmed[],
): Control {
  const alarms = trials.filter(
    ({ test }, index) =>
      test.gates && isAlarm(selves[index]) && confirmed[index]?.selfAgrees === true,
  );
  return {
    held: alarms.length === 0,
    code: "base-itself",
    tests: trials.filter(({ test }) => test.gates).length,
    alarms: alarms.map(({ course: { contender }, metric: { name: metric } }) => ({
      contender,
      metric,
    })),
  };
}
