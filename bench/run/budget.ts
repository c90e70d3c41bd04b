// How long a run may take. The budget decides how many blocks there are, and how
// many windows the last one has. Only time and validity decide; no figure does.

export interface Budget {
  readonly seconds: number;
  /** Whether it bounds the planned blocks, too, or only those that make up for disturbed ones. */
  readonly bindsPlanned: boolean;
}

/** What was done to end in time: numbers of blocks. */
export interface Hurry {
  /** They have fewer windows than planned. */
  readonly shortened: number;
  /** They had not been measured when the time was over, and have no figures. */
  readonly abandoned: number;
}

/**
 * A further block starts only if this share of the longest block fits; it then has fewer windows.
 * One block ranks nothing, so less is enough for the second one.
 */
const furtherShare = 0.85;
const secondBlockShare = 0.5;
/** At the end of a part's time, for closing connections and stopping servers. */
const closingShare = 0.06;

/** The clock of one part of a run, which has a share of the budget. */
export class PartClock {
  readonly #endMs: number;
  readonly #bindsPlanned: boolean;
  readonly #now: () => number;
  readonly #wholeMs: number;
  #longestMs = 0;
  #blocksDone = 0;
  readonly #hurry = { shortened: 0, abandoned: 0 };
  /** How this block was hurried: it counts once, however many of its scenarios were. */
  readonly #noted = new Set<keyof Hurry>();

  /** @param budget null: the planned blocks and no others. @param now milliseconds, monotonic. */
  constructor(budget: Budget | null, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#wholeMs = budget === null ? 0 : budget.seconds * 1000;
    this.#endMs = budget === null ? 0 : now() + this.#wholeMs;
    this.#bindsPlanned = budget?.bindsPlanned ?? false;
  }

  /** Measures how long a block takes, to know whether another one fits. */
  async time(block: () => Promise<void>): Promise<void> {
    const startedMs = this.#now();
    this.#noted.clear();
    await block();
    this.#longestMs = Math.max(this.#longestMs, this.#now() - startedMs);
    this.#blocksDone++;
  }

  /**
   * Whether the next planned block is to be measured. The first one always is, a further one if
   * most of it fits.
   */
  hasTimeForPlanned(): boolean {
    if (!this.#bindsPlanned || this.#blocksDone === 0) return true;
    return this.#fits(this.#blocksDone === 1 ? secondBlockShare : furtherShare);
  }

  /** @param share of a whole block's rounds that the block would have. */
  hasTimeToMakeUp(share: number): boolean {
    return this.#fits(share);
  }

  /** Milliseconds until planned blocks have to be over; Infinity if they have no end. */
  leftMs(): number {
    return this.#bindsPlanned ? Math.max(0, this.#endMs - this.#now()) : Number.POSITIVE_INFINITY;
  }

  /** Whether what is left is needed for closing: no further window is measured. */
  mustClose(): boolean {
    return this.leftMs() <= closingShare * this.#wholeMs;
  }

  hurried(how: keyof Hurry): void {
    if (this.#noted.has(how)) return;
    this.#noted.add(how);
    this.#hurry[how]++;
  }

  get hurry(): Hurry {
    return this.#hurry;
  }

  #fits(share: number): boolean {
    return this.#now() + share * this.#longestMs <= this.#endMs;
  }
}
