// How long a run may take. The budget decides how many blocks there are, and nothing else does but
// the rules of validity: no figure is looked at.

export interface Budget {
  readonly seconds: number;
  /** Whether it bounds the planned blocks, too, or only those that make up for disturbed ones. */
  readonly bindsPlanned: boolean;
}

/** The clock of one part of a run, which has a share of the budget. */
export class PartClock {
  readonly #endMs: number;
  readonly #bindsPlanned: boolean;
  readonly #now: () => number;
  #longestMs = 0;

  /** @param budget null: the planned blocks and no others. @param now milliseconds, monotonic. */
  constructor(budget: Budget | null, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#endMs = budget === null ? 0 : now() + budget.seconds * 1000;
    this.#bindsPlanned = budget?.bindsPlanned ?? false;
  }

  /** Measures how long a block takes, to know whether another one fits. */
  async time(block: () => Promise<void>): Promise<void> {
    const startedMs = this.#now();
    await block();
    this.#longestMs = Math.max(this.#longestMs, this.#now() - startedMs);
  }

  /** Whether the next planned block is to be measured. The first one always is. */
  hasTimeForPlanned(): boolean {
    return !this.#bindsPlanned || this.#longestMs === 0 || this.#fits(1);
  }

  /** @param share of a whole block's rounds that the block would have. */
  hasTimeToMakeUp(share: number): boolean {
    return this.#fits(share);
  }

  #fits(share: number): boolean {
    return this.#now() + share * this.#longestMs <= this.#endMs;
  }
}
