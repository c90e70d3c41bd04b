// How far a run is: the plan's estimate of each round, scaled by how long rounds really took.

import { estimateRoundSeconds, estimateSeconds, type Part, type Plan } from "./plan.ts";
import type { RunProgress } from "./run.ts";
import { sum } from "./window-sums.ts";

/** What is left of a run; never more than what is left of a budget that ends it. */
export interface Remaining {
  /** Null if nothing is known any more: it takes longer than was thought. */
  readonly seconds: number | null;
  /** Whether the pilot blocks have yet to tell how many there must be. */
  readonly atLeast: boolean;
}

export class Pace {
  readonly #plan: Plan;
  readonly #now: () => number;
  readonly #startedMs: number;
  /** How many rounds each part has, as far as is known, and how many it has had. */
  readonly #planned: Map<Part, number>;
  readonly #done = new Map<Part, number>();
  #lastEndedMs: number;

  /** @param now milliseconds on a clock that does not jump. */
  constructor(plan: Plan, now: () => number = () => performance.now()) {
    this.#plan = plan;
    this.#now = now;
    this.#startedMs = now();
    this.#lastEndedMs = this.#startedMs;
    this.#planned = new Map(plan.parts.map((part) => [part, pilotRounds(part)]));
  }

  hear(progress: RunProgress): void {
    if (progress.event === "rounds-planned") this.#planned.set(progress.part, progress.rounds);
    if (progress.event !== "round-ended") return;
    const { part } = progress.step;
    this.#done.set(part, (this.#done.get(part) ?? 0) + 1);
    this.#lastEndedMs = this.#now();
  }

  get done(): number {
    return sum([...this.#done.values()]);
  }

  get total(): number {
    return sum([...this.#planned.values()]);
  }

  get elapsedSeconds(): number {
    return (this.#now() - this.#startedMs) / 1000;
  }

  remaining(): Remaining {
    const atLeast = this.#plan.parts.some(
      (part) =>
        part.blocks.maximum > part.blocks.minimum &&
        (this.#done.get(part) ?? 0) < pilotRounds(part),
    );
    const spent = (this.#lastEndedMs - this.#startedMs) / 1000;
    const { done, left } = this.#estimates();
    const { budget } = this.#plan;
    const most = budget?.bindsPlanned === true ? budget.seconds : Number.POSITIVE_INFINITY;
    const expected = done > 0 ? spent + (left * spent) / done : estimateSeconds(this.#plan);
    const whole = Math.min(expected, most);
    const seconds = whole - this.elapsedSeconds;
    const late = seconds < 0 && this.done < this.total;
    return { seconds: late ? null : Math.max(0, seconds), atLeast };
  }

  /** Seconds by the plan's own estimate: of the rounds that were, and of those to come. */
  #estimates(): { readonly done: number; readonly left: number } {
    let [done, left] = [0, 0];
    for (const part of this.#plan.parts) {
      const each = meanRoundSeconds(part);
      const had = this.#done.get(part) ?? 0;
      done += each * had;
      left += each * Math.max(0, (this.#planned.get(part) ?? 0) - had);
    }
    return { done, left };
  }
}

function pilotRounds({ scenarios, contenders, blocks }: Part): number {
  return scenarios.length * contenders.length * blocks.minimum;
}

function meanRoundSeconds(part: Part): number {
  const { scenarios } = part;
  return sum(scenarios.map((each) => estimateRoundSeconds(each, part))) / scenarios.length;
}
