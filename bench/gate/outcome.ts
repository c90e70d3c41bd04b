// From findings to one outcome and its exit code. Pure.

import { exitUndecided } from "../run/exit-code.ts";
import type { Comparison, Finding, Word } from "./rule.ts";

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
  readonly reason: string | null;
  readonly first: Comparison | null;
  /** Of the confirmation run; null where none was needed. */
  readonly second: Comparison | null;
}

/** What a suspicion became. @param confirmed null if no confirmation was possible. */
export function judgementOf(
  { word, reason, comparison: first }: Finding,
  second: Comparison | null,
  confirmed: boolean | null,
): Judgement {
  if (word !== "suspected") return { verdict: word, reason, first, second };
  if (confirmed === false) {
    return { verdict: "unconfirmed", reason: "fresh blocks do not agree", first, second };
  }
  return { verdict: "regression", reason: null, first, second };
}

/** One control: what it did is what it had to do, or the reason why not. */
export interface Control {
  readonly name: string;
  readonly held: boolean;
  readonly detail: string;
}

/** Advisory judgements do not count. */
export function outcomeOf(
  judgements: readonly (Judgement & { readonly gates: boolean })[],
  controls: readonly Control[],
): Outcome {
  if (controls.some(({ held }) => !held)) return "untrustworthy";
  const gating = judgements.filter(({ gates }) => gates);
  const has = (...verdicts: Verdict[]) => gating.some(({ verdict }) => verdicts.includes(verdict));
  if (has("regression", "failed")) return "regression";
  // Nothing compared is nothing passed.
  if (gating.length === 0 || has("unclear", "unconfirmed")) return "inconclusive";
  return "pass";
}
