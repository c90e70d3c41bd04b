// Two saved results.json against each other: the rule over blocks that were not interleaved, so
// with the wider margins, by Student's t, which few blocks allow, and without a confirmation. Pure.

import type { Cell, Results } from "../model/results.ts";
import { hasFigures } from "../report/groups.ts";
import { principalMetric } from "../report/metric-words.ts";
import { requestsOf } from "../run/protocol.ts";
import { largestSample } from "../statistics/wilcoxon.ts";
import type { GateCause } from "./causes.ts";
import type { GateNote } from "./controls.ts";
import { gateMetrics } from "./metrics.ts";
import { type Judgement, judgementOf, mediansOf, outcomeOf, withReason } from "./outcome.ts";
import type { GateCell, GateResult, Revision } from "./result.ts";
import { type BasePair, fewestForMean, findAll, type Test } from "./rule.ts";
import { loadName } from "./words.ts";

export interface Saved {
  readonly results: Results;
  /** The file's name, for the reader. */
  readonly name: string;
}

/** Two results that have nothing to compare. */
export class NothingInCommon extends Error {
  override readonly name = "NothingInCommon";
}

interface SavedTrial {
  /** By its name in bench/model/metrics.ts. */
  readonly metric: string;
  readonly base: Cell;
  /** Undefined if head has no such cell. */
  readonly head: Cell | undefined;
  /** Why head has no such cell, or none with figures; null if there is something to compare. */
  readonly loss: GateCause | null;
  readonly test: Test;
}

/** @param asked advisory metrics that are to gate, too. @throws {NothingInCommon} */
export function compareSaved(base: Saved, head: Saved, asked: readonly string[]): GateResult {
  const empty = [base, head].find(({ results }) => results.cells.length === 0);
  if (empty !== undefined) throw new NothingInCommon(`${empty.name} has no cells`);
  const trials = base.results.cells.flatMap((cell) => trialsOf(cell, head.results, asked));
  if (!trials.some((trial) => trial.head !== undefined)) {
    throw new NothingInCommon(
      `${base.name} and ${head.name} have no cell in common that is compared`,
    );
  }
  const { seed, environment, profile, startedAt } = head.results;
  const missing = asked.filter((name) => !base.results.cells.some((cell) => has(cell, name)));
  if (missing.length > 0) {
    throw new NothingInCommon(`--gate: ${base.name} has no figures of ${missing.join(", ")}`);
  }
  const findings = findAll(trials.map(({ test }) => test));
  const cells = trials.map((trial, index): GateCell => {
    const unclear = { word: "unclear", cause: { code: "not-measured" }, comparison: null } as const;
    return cellOf(trial, judgementOf(findings[index] ?? unclear, null, null));
  });
  const refusal = refusalOf(base, head);
  return {
    schemaVersion: 1,
    kind: "regression",
    profile,
    startedAt,
    finishedAt: head.results.finishedAt,
    seed,
    base: revisionOf(base),
    head: revisionOf(head),
    environment,
    outcome: refusal.length > 0 ? "inconclusive" : outcomeOf(cells, []),
    cells,
    controls: [],
    notes: [...refusal, { code: "separate-runs" }],
  };
}

/** Why the figures may be read, but decide nothing. */
function refusalOf({ results: base }: Saved, { results: head }: Saved): GateNote[] {
  const [one, other] = [base.environment.fingerprint, head.environment.fingerprint];
  const requests = otherRequests(base, head);
  return [
    ...(one === other ? [] : [{ code: "other-machine", base: one, head: other } as const]),
    ...(requests.length === 0 ? [] : [{ code: "other-requests", options: requests } as const]),
    ...(base.complete && head.complete ? [] : [{ code: "interrupted" } as const]),
  ];
}

/** The options in which the requests differ, as far as results.json shows them. */
function otherRequests(base: Results, head: Results): string[] {
  const [one, other] = [requestsOf(base), requestsOf(head)];
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name));
}

/** A row per metric that is compared; one alone if head lost the cell, whatever it measures. */
function trialsOf(base: Cell, head: Results, asked: readonly string[]): SavedTrial[] {
  const other = head.cells.find((cell) => idOf(cell) === idOf(base));
  const loss = lossOf(base, other);
  if (loss !== null) {
    const metric = principalMetric(base.workload, [base]);
    const test: Test = { ...untested, id: `${idOf(base)} ${metric}` };
    return [{ metric, base, head: other, loss, test }];
  }
  return gateMetrics.flatMap((metric) => {
    const own = blocksOf(base, metric.name);
    if (own.length === 0) return [];
    const pairs = pairUp(own, other === undefined ? [] : blocksOf(other, metric.name));
    const test: Test = {
      ...metric,
      margin: metric.marginApart,
      // The least that there has to be beyond a wider margin is wider, too.
      wanted: metric.wanted + metric.marginApart - metric.margin,
      id: `${idOf(base)} ${metric.name}`,
      gates: metric.gates || asked.includes(metric.name),
      planned: Math.max(own.length, fewestForMean),
      byMean: true,
      pairs,
    };
    return [{ metric: metric.name, base, head: other, loss, test }];
  });
}

/** What has no figures to be tested, and decides. */
const untested: Omit<Test, "id"> = {
  ...{ better: "less", gates: true, margin: 0, wanted: 0, planned: 0, pairs: [] },
};

/** Runs of different times pair by nothing but their order; the test holds for any order. */
function pairUp(base: readonly number[], head: readonly number[]): BasePair[] {
  return base.slice(0, largestSample).flatMap((own, index) => {
    const other = head[index];
    return other !== undefined && own > 0 && other > 0 ? [{ base: own, head: other }] : [];
  });
}

function cellOf(
  { metric, base, head, loss, test }: SavedTrial,
  judged: ReturnType<typeof judgementOf>,
): GateCell {
  const { pairs: blocks, gates, margin } = test;
  const doubt = loss === null ? doubtOf(base, head) : { verdict: "failed" as const, cause: loss };
  return {
    ...withReason({ ...judged, ...doubt }),
    workload: base.workload,
    runtime: base.runtime,
    strategy: base.strategy,
    contender: `${base.contender}, ${loadName(base)}`,
    metric,
    gates,
    margin,
    ...mediansOf(blocks),
    blocks,
  };
}

/** Null if head has the cell as well, or base has nothing to lose. */
function lossOf(base: Cell, head: Cell | undefined): GateCause | null {
  if (head === undefined) return base.blocks > 0 ? { code: "missing-in-head" } : null;
  if (head.status !== "failed" || base.status === "failed") return null;
  return { code: "said", text: head.reason ?? "" };
}

/** Figures that do not stand are no pass; how they rank beside other contenders does not matter. */
function doubtOf(base: Cell, head: Cell | undefined): Partial<Judgement> {
  const doubtful = [base, head].find((cell) => cell !== undefined && !hasFigures(cell));
  if (doubtful === undefined) return {};
  const { status, reason } = doubtful;
  return { verdict: "unclear", cause: { code: "not-ranked", status, reason } };
}

function has(cell: Cell, name: string): boolean {
  return blocksOf(cell, name).length > 0;
}

/** None of a load that is a share of the cell's own capacity: each side has another rate. */
function blocksOf(cell: Cell, name: string): readonly number[] {
  if (cell.capacityPercent !== undefined) return [];
  return Object.entries(cell.metrics).find(([metric]) => metric === name)?.[1].blocks ?? [];
}

function idOf(cell: Cell): string {
  const { workload, contender, connections, activeConnections, payloadBytes } = cell;
  const { ratePerSecond, variant = null } = cell;
  const scale = [connections, activeConnections, payloadBytes, ratePerSecond, variant];
  return JSON.stringify([workload, contender, ...scale]);
}

function revisionOf({ results, name }: Saved): Revision {
  const { commit } = results.environment;
  return { name, commit: typeof commit === "string" ? commit : "unknown" };
}
