// EventRing: the ready events of a selector's last wait, read from memory that native code fills. A
// handler that waits itself would overwrite the current batch, so the batch is copied first and
// restored for the handlers that remain.

import { RING_STRIDE } from "./native.ts";

/** Ready events per wait; the next wait brings the others. */
export const EVENTS_PER_WAIT = 256;
const GONE = -1;

/** A batch that a nested wait has overwritten. */
interface KeptBatch {
  readonly words: Int32Array;
  ready: number;
}

export class EventRing {
  /** Native code's, head included; the layout is in native.ts. */
  readonly words: Int32Array = new Int32Array((EVENTS_PER_WAIT + 1) * RING_STRIDE);
  #ready = 0;
  /** Batches that are being served: more than one if a handler serves a batch itself. */
  #serving = 0;
  /** Of those, copies of what has been overwritten, the outermost first. */
  readonly #kept: KeptBatch[] = [];
  /** Whether there is a copy; dispatch reads this per event. */
  #anyKept = false;

  /** Before each wait. */
  beforeWait(): void {
    if (this.#serving > this.#kept.length) this.#keep();
  }

  /** After each wait: `count` events are in the ring. */
  take(count: number): void {
    this.#ready = count;
  }

  /** The descriptor of ready event `i`; below 0 if its registration has ended since. */
  fdAt(i: number): number {
    return i >= 0 && i < this.#ready ? (this.words[(i + 1) * RING_STRIDE] as number) : GONE;
  }

  /** 0 beyond the last event, as flagsAt. */
  eventsAt(i: number): number {
    return i >= 0 && i < this.#ready ? (this.words[(i + 1) * RING_STRIDE + 1] as number) : 0;
  }

  flagsAt(i: number): number {
    return i >= 0 && i < this.#ready ? (this.words[(i + 1) * RING_STRIDE + 3] as number) : 0;
  }

  /** The registration of `fd` has ended: its events are stale, even if the number is reused. */
  drop(fd: number): void {
    markGone(this.words, this.#ready, RING_STRIDE, fd);
    for (const { words, ready } of this.#kept) markGone(words, ready, 0, fd);
  }

  /** Removes the events of `fd` that are no longer among `events`. */
  mask(fd: number, events: number): void {
    maskEvents(this.words, this.#ready, RING_STRIDE, fd, events);
    this.#maskKept(fd, events);
  }

  /** From now on the batch in the ring is being served. */
  beginServing(): void {
    this.#serving++;
  }

  /**
   * Event `i` is about to be served: removes it from the batches of outer loops, which continue
   * with theirs afterwards.
   */
  serve(i: number): void {
    if (this.#anyKept) this.#maskKept(this.fdAt(i), ~this.eventsAt(i));
  }

  /** After each handler: the batch is in the ring again, whatever the handler waited for. */
  restore(): void {
    if (this.#anyKept && this.#kept.length === this.#serving) this.#putBack();
  }

  endServing(): void {
    this.#serving--;
  }

  clear(): void {
    this.#ready = 0;
    for (const batch of this.#kept) batch.ready = 0;
  }

  #keep(): void {
    const ready = this.#ready;
    const words = this.words.slice(RING_STRIDE, (ready + 1) * RING_STRIDE);
    this.#kept.push({ words, ready });
    this.#anyKept = true;
  }

  #putBack(): void {
    const batch = this.#kept.pop();
    this.#anyKept = this.#kept.length > 0;
    if (batch === undefined) return;
    this.words.set(batch.words, RING_STRIDE);
    this.#ready = batch.ready;
  }

  #maskKept(fd: number, events: number): void {
    for (const { words, ready } of this.#kept) maskEvents(words, ready, 0, fd, events);
  }
}

/** Both over `ready` events from word `start` on. */
function markGone(words: Int32Array, ready: number, start: number, fd: number): void {
  const end = start + ready * RING_STRIDE;
  for (let at = start; at < end; at += RING_STRIDE) if (words[at] === fd) words[at] = GONE;
}

function maskEvents(
  words: Int32Array,
  ready: number,
  start: number,
  fd: number,
  events: number,
): void {
  const end = start + ready * RING_STRIDE;
  for (let at = start; at < end; at += RING_STRIDE) {
    if (words[at] === fd) words[at + 1] = (words[at + 1] as number) & events;
  }
}
