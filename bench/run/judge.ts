// Rounds as the rules of validity see them: which windows are discarded, and which blocks pair with
// the reference's.

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

/** A round after the rules of validity. */
export interface Judged {
  readonly round: Round;
  /** The windows that break no rule. */
  readonly valid: readonly Window[];
  /** The rules that each of the others broke. */
  readonly broken: readonly (readonly GateRule[])[];
  /** From the valid windows, or from all if too few are valid; null if there is no window. */
  readonly data: BlockData | null;
  /** Whether `data` includes windows that were disturbed. */
  readonly disturbed: boolean;
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
}

/** A contender's block and the reference's; null if there is no reference to pair with. */
export interface PairedBlock {
  readonly own: BlockData;
  readonly reference: BlockData | null;
  /** Whether one of them includes windows that were disturbed. */
  readonly disturbed: boolean;
}

/** The undisturbed windows stand for a round if they are at least this share of its windows. */
export const undisturbedShare = 0.5;

export function judge(round: Round, { rules, regime }: Workload, singleThreaded: boolean): Judged {
  // A server on a part of its CPU waits while others use the rest.
  const applied =
    round.cpuShare === null ? rules : rules.filter((rule) => rule !== "server-waited");
  const verdicts = round.windows.map((window) => ({
    window,
    broken: brokenRules(window, { rules: applied, singleThreaded }),
  }));
  const valid = verdicts.filter(({ broken }) => broken.length === 0).map(({ window }) => window);
  const enough = valid.length > 0 && valid.length >= undisturbedShare * round.windows.length;
  const windows = enough ? valid : round.windows;
  // Without windows there is nothing that could be disturbed: what was measured is there or not.
  const whole = { memory: round.memory.length > 1, readiness: round.turn !== null };
  const counts = regime === "memory" || regime === "readiness" ? whole[regime] : windows.length > 0;
  return {
    round,
    valid,
    broken: verdicts.filter(({ broken }) => broken.length > 0).map(({ broken }) => broken),
    data: counts && round.failure === null ? new BlockData(round, windows) : null,
    disturbed: !enough && round.windows.length > 0,
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

/** The blocks with figures of the contender and, if there is a reference, of the reference. */
export function pairBlocks(
  judged: readonly Judged[],
  reference: readonly Judged[] | null,
): PairedBlock[] {
  return judged.flatMap((own): PairedBlock[] => {
    if (own.data === null) return [];
    if (reference === null) {
      return [{ own: own.data, reference: null, disturbed: own.disturbed }];
    }
    const other = reference.find((candidate) => candidate.round.block === own.round.block);
    if (other === undefined || other.data === null) return [];
    const disturbed = own.disturbed || other.disturbed;
    if (own.round.windowsPerTurn === null)
      return [{ own: own.data, reference: other.data, disturbed }];
    return pairWindows(own, other);
  });
}

/** The undisturbed blocks stand for all if there are as many as were planned. */
export function countingBlocks(
  paired: readonly PairedBlock[],
  planned: number,
): readonly PairedBlock[] {
  const undisturbed = paired.filter(({ disturbed }) => !disturbed);
  return undisturbed.length >= planned ? undisturbed : paired;
}

/** A window counts with the reference's beside it: one of them disturbs their ratio. */
function pairWindows(own: Judged, other: Judged): PairedBlock[] {
  const common = commonOf(own.round.windows, other.round.windows);
  const sound = commonOf(own.valid, other.valid);
  const enough = sound.size > 0 && sound.size >= undisturbedShare * common.size;
  const pairs = enough ? sound : common;
  if (pairs.size === 0) return [];
  const of = ({ round }: Judged) =>
    new BlockData(
      round,
      round.windows.filter(({ index }) => pairs.has(index)),
    );
  return [{ own: of(own), reference: of(other), disturbed: !enough }];
}

function commonOf(own: readonly Window[], other: readonly Window[]): Set<number> {
  const theirs = new Set(other.map(({ index }) => index));
  return new Set(own.map(({ index }) => index).filter((index) => theirs.has(index)));
}
