// The requests that a connection sends to its engine. The numbers are those of
// native/proactor/rings.h.

export const SUBMIT_END = 3;
export const SUBMIT_DESTROY = 4;
export const SUBMIT_PAUSE = 5;
export const SUBMIT_RESUME = 6;
export const SUBMIT_REPORT = 7;
export const SUBMIT_IDLE_TIMEOUT = 8;
export const SUBMIT_MORE_ACCEPTS = 9;

export interface Submitter {
  /** Another number means that what was written has left, and was or will be reported. */
  readonly flushes: number;
  /** The connection whose `data` handler runs now. */
  delivering: object | null;
  submit(slot: number, kind: number, offset?: number, length?: number): void;
  /**
   * Submits bytes, which may change as soon as this returns.
   * @returns how many there are; -1 - n: they were sent or queued at once, and n are queued now.
   */
  write(slot: number, bytes: Uint8Array | string): number;
  /** Bytes of a slot that are queued; null while the rings hold what was submitted. */
  queued(slot: number): number | null;
  /** Whether the connection that the program knows by that slot still has the descriptor. */
  serves(slot: number): boolean;
  /** Gives a descriptor back, with what of it was received and not dispatched. */
  detach(slot: number): Uint8Array[];
  /** Calls a task soon, outside the handlers that run now. */
  later(task: () => void): void;
  /** Makes what a handler threw an 'uncaughtException'. */
  raise(thrown: unknown): void;
  /** One thing more, or less, that keeps the process alive. */
  ref(): void;
  unref(): void;
}
