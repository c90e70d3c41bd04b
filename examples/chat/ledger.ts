// Finds duplicates and losses of messages by their origin and sequence number.

import type { Envelope } from "./envelope.ts";

export interface Entry {
  /** False for a duplicate. */
  readonly fresh: boolean;
  /** Words that were lost before it: each path keeps the order, so they cannot still arrive. */
  readonly missed: number;
  /** Whether it is the first of its origin; words before it are not counted as lost. */
  readonly first: boolean;
}

export class Ledger {
  readonly #last = new Map<string, number>();
  #lost = 0;
  #duplicates = 0;

  get lost(): number {
    return this.#lost;
  }
  get duplicates(): number {
    return this.#duplicates;
  }

  take({ kind, origin, sequence }: Pick<Envelope, "kind" | "origin" | "sequence">): Entry {
    const last = this.#last.get(origin);
    const fresh = last === undefined || sequence > last || (kind === "mark" && sequence === last);
    if (!fresh) {
      if (kind === "word") this.#duplicates++;
      return { fresh, missed: 0, first: false };
    }
    this.#last.set(origin, sequence);
    const expected = last === undefined ? sequence : last + (kind === "word" ? 1 : 0);
    const missed = sequence - expected;
    this.#lost += missed;
    return { fresh, missed, first: last === undefined };
  }

  /** Removes an origin that will not send again. */
  forget(origin: string): void {
    this.#last.delete(origin);
  }
}
