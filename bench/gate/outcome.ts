// From findings to one outcome and its exit code. Pure.

import { exitUndecided } from "../run/exit-code.ts";
import { median } from "../statistics/quantile.ts";
import { type GateCause, gateCauseText } from "./causes.ts";
import type { Control } from "./controls.ts";
import type { BasePair, Comparison, Finding, Word } from "./rule.ts";

/** How a run of the gate ends. */
export type Outcome = "pass" | "regression" | "inconclusive" | "untrustworthy";

/** 2 is for what could not be compared at all. */
export const exitCodes: Readonly<Record<Outcome, number>> = {
  pass: 0,
  regression: 1,
  inconclusive: exitUndecided,
  untrustworthy: 4,
};

/** The final word on one test. */
export type Verdict = Exclude<Word, "suspected"> | "regression" | "unconfirmed" | "failed";

export interface Judgement {
  readonly verdict: Verdict;
  /** Why there is no plain verdict; null otherwise. */
  readonly cause: GateCause | null;
  readonly first: Comparison | null;
  /** Of the confirmation run; null if none was needed. */
  readonly second: Comparison | null;
}

/** What a suspicion became. @param confirmed null if no confirmation was possible. */
export function judgementOf(
  { word, cause, comparison: first }: Finding,
  second: Comparison | null,
  confirmed: boolean | null,
): Judgement {
  if (word !== "suspected") return { verdict: word, cause, first, second };
  if (confirmed === false) {
    return { verdict: "unconfirmed", cause: { code: "not-confirmed" }, first, second };
  }
  return { verdict: "regression", cause: null, first, second };
}

/** With the words of its cause, for readers of regression.json. */
export function withReason<J extends Judgement>(judgement: J): J & { reason: string | null } {
  const { cause } = judgement;
  return { ...judgement, reason: cause === null ? null : gateCauseText(cause) };
}

/** Of both sides; null without a pair. */
export function mediansOf(pairs: readonly BasePair[]) {
  const of = (side: keyof BasePair) => median(pairs.map((pair) => pair[side]));
  return pairs.length === 0 ? { base: null, head: null } : { base: of("base"), head: of("head") };
}

type GatedJudgement = Judgement & { readonly gates: boolean };

/** The part of a control that an outcome depends on. */
interface ControlState {
  readonly code: Control["code"];
  readonly held: boolean;
  readonly cause?: GateCause | null;
}

const noiseCauses: readonly GateCause["code"][] = ["few-pairs", "chance", "insensitive"];

/** Advisory judgements do not count, except a server that failed: that decides by any metric. */
export function decides({ gates, verdict }: Pick<GatedJudgement, "gates" | "verdict">): boolean {
  return gates || verdict === "failed";
}

export function outcomeOf(
  judgements: readonly GatedJudgement[],
  controls: readonly ControlState[],
): Outcome {
  const verdict = decisionOf(judgements);
  const broken = controls.filter(({ held }) => !held);
  if (broken.length === 0) return verdict;
  return verdict === "inconclusive" && broken.every(isHiddenByNoise) ? verdict : "untrustworthy";
}

/** Noise that left the comparison open also hides the planted cost; the gate is not at fault. */
function isHiddenByNoise({ code, cause }: ControlState): boolean {
  return code === "planted-cost" && cause != null && noiseCauses.includes(cause.code);
}

function decisionOf(judgements: readonly GatedJudgement[]): Outcome {
  const deciding = judgements.filter(decides);
  const has = (...verdicts: Verdict[]) =>
    deciding.some(({ verdict }) => verdicts.includes(verdict));
  if (has("regression", "failed")) return "regression";
  // Nothing compared is nothing passed.
  if (deciding.length === 0 || has("unclear", "unconfirmed")) return "inconclusive";
  return "pass";
}
