// The contenders whose rounds are under way, for the line on the terminal and the live page: one,
// or all of a block if the load turns from one server to the next.

import type { RunProgress } from "../run/run.ts";

export class RunningRounds {
  readonly #names = new Set<string>();
  #last = "";

  hear(progress: RunProgress): void {
    if (progress.event === "round-started") {
      this.#last = progress.step.contender;
      this.#names.add(this.#last);
    } else if (progress.event === "round-ended") {
      this.#names.delete(progress.step.contender);
    }
  }

  get names(): string[] {
    return [...this.#names];
  }

  /** "cpp:poll" or "6 servers in turn"; between rounds the last one that started. */
  text(): string {
    return this.#names.size > 1 ? `${this.#names.size} servers in turn` : this.#last;
  }
}
