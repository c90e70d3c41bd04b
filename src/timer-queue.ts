// TimerQueue: a binary heap of due times, for the Reactor. Enters: delays. Leaves: what is due,
// soonest first.

export interface Timer {
  /** Forgets the timer; silent where it has fired already. */
  cancel(): void;
}

interface Entry extends Timer {
  dueMs: number;
  readonly repeatMs: number | null;
  readonly task: () => void;
  cancelled: boolean;
}

export class TimerQueue {
  readonly #heap: Entry[] = [];

  /** @param dueMs on performance.now()'s clock. */
  add(dueMs: number, repeatMs: number | null, task: () => void): Timer {
    const entry: Entry = {
      dueMs,
      repeatMs,
      task,
      cancelled: false,
      cancel: () => {
        entry.cancelled = true;
      },
    };
    this.#push(entry);
    return entry;
  }

  /** When the soonest timer is due, null without one. */
  nextDueMs(): number | null {
    this.#discardCancelled();
    return this.#heap[0]?.dueMs ?? null;
  }

  /**
   * Takes the soonest task that is due; a repeating one comes round again, measured from now so
   * that it never piles up.
   */
  takeDue(nowMs: number): (() => void) | undefined {
    this.#discardCancelled();
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.#pop();
    if (first.repeatMs !== null) {
      first.dueMs = nowMs + first.repeatMs;
      this.#push(first);
    }
    return first.task;
  }

  #discardCancelled(): void {
    while (this.#heap[0]?.cancelled === true) this.#pop();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#dueAt(parent) <= entry.dueMs) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (this.#dueAt(left) < this.#dueAt(least)) least = left;
      if (this.#dueAt(right) < this.#dueAt(least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #dueAt(index: number): number {
    return this.#heap[index]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b] as Entry, heap[a] as Entry];
  }
}
