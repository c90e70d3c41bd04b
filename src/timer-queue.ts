// TimerQueue: the Reactor's timers, a binary heap of due times. A cancelled timer leaves it at
// once, so that a timeout set and cancelled per message holds no memory.

/** A timer of Reactor.setTimer. */
export interface Timer {
  /** Cancels the timer; a no-op once it has fired for the last time. */
  cancel(): void;
}

interface Entry extends Timer {
  dueMs: number;
  readonly repeatMs: number | null;
  /** null once it has fired for the last time, or was cancelled. */
  task: (() => void) | null;
  /** Its place in the heap, OUTSIDE while it has none. */
  place: number;
}

const OUTSIDE = -1;

export class TimerQueue {
  readonly #heap: Entry[] = [];

  /** @param dueMs on performance.now()'s clock. */
  add(dueMs: number, repeatMs: number | null, task: () => void): Timer {
    const entry: Entry = {
      dueMs,
      repeatMs,
      task,
      place: OUTSIDE,
      cancel: () => this.#cancel(entry),
    };
    this.#push(entry);
    return entry;
  }

  /** When the soonest timer is due, null without one. */
  nextDueMs(): number | null {
    return this.#heap[0]?.dueMs ?? null;
  }

  /**
   * Takes the soonest task that is due, to be called at once. A repeating timer is due again that
   * long after this call, so that its calls never pile up.
   */
  takeDue(nowMs: number): (() => void) | null {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return null;
    const { task } = first;
    this.#remove(first);
    if (first.repeatMs === null) {
      first.task = null;
    } else {
      first.dueMs = performance.now() + first.repeatMs;
      this.#push(first);
    }
    return task;
  }

  #cancel(entry: Entry): void {
    entry.task = null;
    if (entry.place !== OUTSIDE) this.#remove(entry);
  }

  #push(entry: Entry): void {
    this.#heap.push(entry);
    this.#rise(entry, this.#heap.length - 1);
  }

  /** The last entry takes its place, and from there rises or sinks. */
  #remove(entry: Entry): void {
    const { place } = entry;
    entry.place = OUTSIDE;
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    this.#rise(last, place);
    if (last.place === place) this.#sink(last, place);
  }

  #rise(entry: Entry, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = this.#heap[(at - 1) >> 1] as Entry;
      if (parent.dueMs <= entry.dueMs) break;
      this.#put(parent, at);
      at = (at - 1) >> 1;
    }
    this.#put(entry, at);
  }

  #sink(entry: Entry, from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const least = right !== undefined && right.dueMs < left.dueMs ? right : left;
      if (least.dueMs >= entry.dueMs) break;
      const next = least.place;
      this.#put(least, at);
      at = next;
    }
    this.#put(entry, at);
  }

  #put(entry: Entry, place: number): void {
    this.#heap[place] = entry;
    entry.place = place;
  }
}
