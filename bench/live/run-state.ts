// The state of a run and its messages, for the line on the terminal and for the live page.

import { causeText } from "../model/reasons.ts";
import type { Step } from "../run/blocks.ts";
import { Pace } from "../run/pace.ts";
import type { Plan } from "../run/plan.ts";
import type { RunProgress } from "../run/run.ts";
import { Disturbances } from "./disturbances.ts";

export class RunState {
  readonly pace: Pace;
  readonly disturbances: Disturbances;
  /** The contenders whose rounds are under way: one, or all of a block that takes turns. */
  readonly running = new Set<string>();
  /** The last round that started. */
  step: Step | null = null;
  readonly #refused = new Set<string>();

  constructor(plan: Plan) {
    this.pace = new Pace(plan);
    this.disturbances = new Disturbances(plan);
  }

  /** @returns the messages to show at once. */
  hear(progress: RunProgress): string[] {
    this.pace.hear(progress);
    if (progress.event === "round-started") {
      this.step = progress.step;
      this.running.add(progress.step.contender);
    } else if (progress.event === "round-ended") {
      this.running.delete(progress.step.contender);
    } else if (progress.event === "budget-spent") {
      // A block that was abandoned ends no rounds.
      this.running.clear();
    }
    const notes = [this.#noteOf(progress), this.disturbances.hear(progress)];
    return notes.filter((text) => text !== null);
  }

  /** "cpp:poll" or "6 servers in turn"; between rounds the last one that started. */
  runningText({ contender }: Step): string {
    return this.running.size > 1 ? `${this.running.size} servers in turn` : contender;
  }

  /** A refusal once, however many parts it meets, and uncut: what lifts a limit is at its end. */
  #noteOf(progress: RunProgress): string | null {
    if (progress.event === "budget-spent") {
      return `time is used up after ${progress.blocks} of ${progress.planned} blocks`;
    }
    if (progress.event !== "making-up" && progress.event !== "refused") return null;
    const names = progress.contenders.join(", ");
    if (progress.event === "making-up") {
      return `an additional block for ${names}: some blocks were disturbed`;
    }
    const text = `${progress.refusal.status}: ${names}: ${causeText(progress.refusal.cause)}`;
    if (this.#refused.has(text)) return null;
    this.#refused.add(text);
    return text;
  }
}
