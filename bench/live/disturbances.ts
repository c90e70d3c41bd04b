// How many windows of a run were disturbed so far, for the line on the terminal and the live page.

import { type GateRule, ruleWords } from "../model/reasons.ts";
import { judge } from "../run/judge.ts";
import type { Plan } from "../run/plan.ts";
import type { RunProgress } from "../run/run.ts";

/** Half of the windows of fewer rounds says nothing: one program may have disturbed them. */
const enoughRounds = 3;

export class Disturbances {
  readonly #plan: Plan;
  readonly #rules = new Map<GateRule, number>();
  #rounds = 0;
  #windows = 0;
  #dropped = 0;
  #told = false;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** @returns a message to show at once, once per run: half of all windows were disturbed. */
  hear(progress: RunProgress): string | null {
    if (progress.event !== "round-ended") return null;
    const { step, round } = progress;
    const contender = this.#plan.contenders.find(({ name }) => name === step.contender);
    const { broken } = judge(round, step.scenario.workload, contender?.concurrency === "single");
    this.#rounds++;
    this.#windows += round.windows.length;
    this.#dropped += broken.length;
    for (const rule of broken.flat()) this.#rules.set(rule, (this.#rules.get(rule) ?? 0) + 1);
    const few = this.#rounds < enoughRounds || 2 * this.#dropped < this.#windows;
    if (this.#told || few || this.#windows === 0) return null;
    this.#told = true;
    return (
      `${this.text()} (most often: ${this.#mostFrequent()}). Figures of disturbed windows are ` +
      "used only if there are no others, with a lower grade. The command doctor lists disturbances."
    );
  }

  /** "3 of 12 windows disturbed"; empty while none is. */
  text(): string {
    return this.#dropped === 0 ? "" : `${this.#dropped} of ${this.#windows} windows disturbed`;
  }

  #mostFrequent(): string {
    const [first] = [...this.#rules].sort(([, left], [, right]) => right - left);
    return first === undefined ? "" : ruleWords[first[0]];
  }
}
