// Rounds as the gate sees them: which windows count, and which blocks pair with the reference's.
// Pure.

import type { Contender } from "../contenders/catalogue.ts";
import type { Window } from "../model/events.ts";
import type { Cause, GateRule } from "../model/reasons.ts";
import type { Workload } from "../model/workloads/workload.ts";
import { BlockData } from "./block-data.ts";
import type { Part } from "./plan.ts";
import type { Round } from "./round.ts";
import { brokenRules } from "./window-gate.ts";

/** Why a contender was not run at all. */
export interface Refusal {
  readonly status: "skipped" | "unsupported" | "unavailable";
  readonly cause: Cause;
}

/** A round as the gate saw it. */
export interface Judged {
  readonly round: Round;
  /** The windows that count. */
  readonly valid: readonly Window[];
  /** The rules that each of the others broke. */
  readonly broken: readonly (readonly GateRule[])[];
  /** Null where nothing of it counts. */
  readonly data: BlockData | null;
}

/** All that one contender did in one scenario. */
export interface Course {
  readonly contender: Contender;
  readonly refusal: Refusal | null;
  readonly judged: readonly Judged[];
  readonly failure: string | null;
  readonly unavailable: string | null;
  /** How many blocks it was to have. */
  readonly planned: number;
  /** Null until the pilot blocks have told; false where more were wanted than allowed. */
  readonly enough: boolean;
}

/**
 * A contender's block and the reference's of the same block; null where there is no reference to
 * pair with.
 */
export interface PairedBlock {
  readonly own: BlockData;
  readonly reference: BlockData | null;
}

export function judge(round: Round, { rules, regime }: Workload, singleThreaded: boolean): Judged {
  const verdicts = round.windows.map((window) => ({
    window,
    broken: brokenRules(window, { rules, singleThreaded }),
  }));
  const valid = verdicts.filter(({ broken }) => broken.length === 0).map(({ window }) => window);
  // Without windows there is nothing that could be disturbed: what was measured is there or not.
  const whole = { memory: round.memory.length > 1, readiness: round.turn !== null };
  const counts = regime === "memory" || regime === "readiness" ? whole[regime] : valid.length > 0;
  return {
    round,
    valid,
    broken: verdicts.filter(({ broken }) => broken.length > 0).map(({ broken }) => broken),
    data: counts && round.failure === null ? new BlockData(round, valid) : null,
  };
}

/** The rounds of one contender in one scenario of a part, judged. */
export function judgedRounds(
  part: Part,
  rounds: readonly Round[],
  { scenarioIndex, contender }: { readonly scenarioIndex: number; readonly contender: Contender },
): Judged[] {
  const workload = part.scenarios[scenarioIndex]?.workload;
  if (workload === undefined) return [];
  return rounds
    .filter((round) => round.contender === contender.name && round.scenarioIndex === scenarioIndex)
    .map((round) => judge(round, workload, contender.concurrency === "single"));
}

/**
 * The blocks that count: with something valid of its own and, where there is a reference, of the
 * reference's.
 */
export function pairBlocks(
  judged: readonly Judged[],
  reference: readonly Judged[] | null,
): PairedBlock[] {
  return judged.flatMap(({ round, data: own }): PairedBlock[] => {
    if (own === null) return [];
    if (reference === null) return [{ own, reference: null }];
    const other = reference.find((candidate) => candidate.round.block === round.block)?.data;
    return other == null ? [] : [{ own, reference: other }];
  });
}
