// Reactor: Schmidt's initiation dispatcher over an injected Selector. It calls handlers, timers and
// posted tasks one after another, on this thread.
// https://www.dre.vanderbilt.edu/~schmidt/PDF/reactor-siemens.pdf

import {
  assertFunction,
  assertNumber,
  assertObject,
  assertRepeatMs,
  assertSignal,
} from "./arguments.ts";
import { invalidType, invalidValue } from "./errors.ts";
import {
  assertOnThrow,
  type CheckedHandler,
  type EventHandler,
  type OnThrow,
} from "./event-handler.ts";
import type { EventRing } from "./event-ring.ts";
import { native } from "./native.ts";
import { dataOf, NativeSelector, ring, run, wishEnd, wishTurn, within } from "./native-selector.ts";
import { Registrations } from "./registrations.ts";
import { EVENT_READ, EVENT_WRITE, type FileLike, type RegisterOptions } from "./selector.ts";
import { type Timer, TimerQueue } from "./timer-queue.ts";

/** How a Reactor handles exceptions. */
export interface ReactorOptions {
  /**
   * Called with the exceptions of timers, posted tasks, onClose, and handlers without an own
   * onError. If it is missing, such an exception is an `uncaughtException` of the process, which
   * ends the process unless it has a listener for that. An exception of onError itself ends run(),
   * or is thrown by handleEvents(), after the turn.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
  /**
   * Whether a handler is removed after it has thrown, for handlers without an own onThrow. Default:
   * "remove" if an onError was called; otherwise "keep", as for Node's own listeners.
   */
  readonly onThrow?: OnThrow | undefined;
}

/** Ready descriptors after which a turn of run() looks for no more; one wait may bring more. */
const EVENTS_PER_TURN = 64;

/**
 * Calls handlers when their descriptors are ready, and timers and posted tasks in between, on this
 * thread: in run(), beside Node's event loop, or in handleEvents(), which blocks.
 */
export class Reactor {
  readonly #selector: NativeSelector<CheckedHandler>;
  readonly #ring: EventRing;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #onThrow: OnThrow | undefined;
  readonly #registrations: Registrations;
  readonly #timers = new TimerQueue();
  #tasks: (() => void)[] = [];
  /** The tasks of this turn that are still to be called, the last first. */
  #due: (() => void)[] = [];
  #running = false;
  #stopped = false;
  #turns = 0;
  #events = 0;
  /** What onError threw in this turn. */
  #failure: { readonly error: unknown } | null = null;

  /**
   * @param selector one of this package's selector classes. The Reactor registers with it; the
   *   caller closes it.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE for any other selector or option.
   */
  constructor(selector: NativeSelector, options: ReactorOptions = {}) {
    if (!(selector instanceof NativeSelector)) {
      throw invalidType("selector must be one of this package's, such as new DefaultSelector()");
    }
    assertObject(options, "options");
    if (options.onError !== undefined) assertFunction(options.onError, "options.onError");
    assertOnThrow(options.onThrow, "options.onThrow");
    this.#selector = selector as NativeSelector<CheckedHandler>;
    this.#ring = selector[ring];
    this.#registrations = new Registrations(this.#selector, ({ fd, handler }) =>
      this.#guard(() => handler.onClose?.(fd)),
    );
    this.#onError = options.onError;
    this.#onThrow = options.onThrow;
  }

  /** Waits so far. `events / turns` is the number of ready descriptors per wait. */
  get turns(): number {
    return this.#turns;
  }

  /** Ready descriptors so far. */
  get events(): number {
    return this.#events;
  }

  /** How many handlers are registered, suspended ones included. */
  get size(): number {
    return this.#registrations.size;
  }

  /**
   * Calls `handler` whenever the descriptor is ready for one of `events`.
   * @param events EVENT_READ, which needs handler.onReadable, EVENT_WRITE, which needs
   *   handler.onWritable, or both.
   * @param options as for Selector.register, such as `exclusive` for a listener that several
   *   processes share.
   * @throws {RangeError | TypeError} ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE, also for a
   *   handler without the method for one of its events.
   * @throws what Selector.register throws.
   */
  registerHandler(
    file: FileLike,
    events: number,
    handler: EventHandler,
    options?: RegisterOptions,
  ): void {
    this.#registrations.add(file, events, handler, options);
  }

  /**
   * Replaces the events of a handler.
   * @param events as for registerHandler; 0 suspends the handler until the next modify() or
   *   resume(). A handler that suspend() has suspended stays so until resume().
   * @throws what Selector.modify throws; if the system refused, the handler has been removed.
   */
  modify(file: FileLike, events: number): void {
    const registered = this.#registrations.get(file);
    if (events === 0) this.#registrations.pause(registered, "modify");
    else this.#registrations.modify(registered, events);
  }

  /**
   * Replaces a descriptor's handler without calling onClose, for example the handler that opened a
   * connection by the handler that serves it. Events that are ready are reported to the new one, in
   * every mode.
   * @param events of the new handler; unchanged unless given.
   * @returns the handler that was replaced.
   * @throws what registerHandler and modify throw.
   */
  replaceHandler(file: FileLike, handler: EventHandler, events?: number): EventHandler {
    const registered = this.#registrations.get(file);
    const wanted = events === undefined ? registered.events : events;
    return this.#registrations.replace(registered, handler, wanted);
  }

  /**
   * Removes a handler and calls its onClose; a no-op without one. Works after the selector was
   * closed, too.
   */
  removeHandler(file: FileLike): void {
    const registered = this.#registrations.find(file);
    if (registered !== undefined) this.#registrations.remove(registered);
  }

  /** Stops calling a handler until resume(), which reports events that became ready before it. */
  suspend(file: FileLike): void {
    this.#registrations.pause(this.#registrations.get(file), "suspend");
  }

  /**
   * Ends suspend() and modify(file, 0); a no-op for a handler that is not suspended.
   * @throws what Selector.register throws.
   */
  resume(file: FileLike): void {
    this.#registrations.resume(this.#registrations.get(file));
  }

  /**
   * Calls `task` after `delayMs` milliseconds, never early.
   * @param options.repeatMs calls it again that long after each call; at least a microsecond.
   * @throws {RangeError | TypeError} ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE.
   */
  setTimer(delayMs: number, task: () => void, options: { readonly repeatMs?: number } = {}): Timer {
    assertNumber(delayMs, "delayMs");
    assertFunction(task, "task");
    assertObject(options, "options");
    const { repeatMs } = options;
    if (Number.isNaN(delayMs)) throw invalidValue("delayMs is NaN; it must be milliseconds");
    if (repeatMs !== undefined) assertRepeatMs(repeatMs);
    this.#selector[wishTurn]();
    return this.#timers.add(performance.now() + delayMs, repeatMs ?? null, task);
  }

  /**
   * Calls `task` in the next turn, after the timers and before the ready handlers. A task that a
   * timer posts is called in the same turn.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE for anything but a function.
   */
  post(task: () => void): void {
    assertFunction(task, "task");
    this.#selector[wishTurn]();
    this.#tasks.push(task);
  }

  /**
   * Runs one turn: due timers, posted tasks, then for each ready descriptor read before write.
   * Blocks this thread. Handlers, timers and tasks may call it: of what the outer turn has not
   * called yet, the tasks are called in this turn, and the handlers after it.
   * @param timeoutMs as for Selector.poll; a timer or a posted task ends the wait in time.
   * @returns the number of ready descriptors.
   * @throws what Selector.poll throws; after the turn, an exception of this Reactor's own onError.
   */
  handleEvents(timeoutMs: number | null = null): number {
    const ready = this.#selector[within](timeoutMs, this.#untilDueMs());
    if (this.#due.length > 0) this.#tasks = [...this.#due.splice(0).reverse(), ...this.#tasks];
    this.#runTimersAndTasks();
    this.#dispatch(ready);
    const failure = this.#takeFailure();
    if (failure !== null) throw failure.error;
    return ready;
  }

  /**
   * Serves until stop(), on the same thread as Node's own event loop: timers, immediates, signals,
   * workers, sockets, other Reactors and pending `wait()` calls continue to work. Ticks, promise
   * jobs and unhandled rejections are processed after each turn, as after Node's own callbacks. The
   * first turn begins with the loop's next pass. docs/event-loop.md describes how the thread is
   * shared, and what Node's event loop utilization means meanwhile.
   * @throws what ends it: ERR_SELECTOR_CLOSED, what this Reactor's own onError throws, EBUSY if
   *   it runs already, or another Reactor runs on the same selector.
   * @param options.signal stops it, too.
   */
  async run(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    assertObject(options, "options");
    const { signal } = options;
    assertSignal(signal);
    if (this.#running) {
      const busy = new Error("this Reactor already runs; call stop() first");
      throw Object.assign(busy, { code: "EBUSY" });
    }
    if (signal?.aborted) return;
    const stop = () => this.stop();
    signal?.addEventListener("abort", stop, { once: true });
    this.#stopped = false;
    try {
      await this.#runHosted();
    } finally {
      this.#running = false;
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Ends run() after the current turn; a no-op if this Reactor does not run. */
  stop(): void {
    if (!this.#running) return;
    this.#stopped = true;
    this.#selector[wishEnd]();
  }

  async #runHosted(): Promise<void> {
    // If the kernel keeps the set, looking at it costs no more than what is ready.
    const looksAgain = this.#selector.capabilities.asyncWait === "nested";
    let failure: { readonly error: unknown } | null = null;
    const over = this.#selector[run]((ready) => {
      try {
        this.#runTimersAndTasks();
        this.#dispatch(ready);
        if (looksAgain) this.#dispatchMore(ready);
      } catch (error) {
        this.#failure ??= { error };
      }
      failure ??= this.#takeFailure();
      if (failure !== null) this.stop();
      return this.#untilDueMs();
    });
    this.#running = true;
    await over;
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
  }

  /**
   * If a wait returned more than one event, descriptors that became ready meanwhile are served in
   * the same turn: further waits that do not block, until one returns at most one event. Such a
   * wait costs less than going back to Node.
   */
  #dispatchMore(ready: number): void {
    let last = ready;
    for (let all = last; last > 1 && all < EVENTS_PER_TURN && !this.#stopped; all += last) {
      last = this.#selector.poll(0);
      this.#dispatch(last);
    }
  }

  #dispatch(ready: number): void {
    const selector = this.#selector;
    const ring = this.#ring;
    this.#turns++;
    this.#events += ready;
    ring.beginServing();
    for (let i = 0; i < ready; i++) {
      // Looked up one by one: an earlier handler of this batch may have removed this one, or given
      // its descriptor away.
      const fd = ring.fdAt(i);
      const handler = fd < 0 ? undefined : selector[dataOf](fd);
      if (handler === undefined) continue;
      const events = ring.eventsAt(i);
      const before = this.#registrations.count;
      ring.serve(i);
      try {
        if ((events & EVENT_READ) !== 0) handler.onReadable(fd, ring.flagsAt(i));
      } catch (error) {
        this.#contain(fd, handler, error, before);
      }
      try {
        if ((events & EVENT_WRITE) !== 0) this.#serveWrite(i, fd, handler);
      } catch (error) {
        this.#contain(fd, handler, error, before);
      }
      ring.restore();
    }
    ring.endServing();
  }

  /** Looks again first: onReadable may have changed what is called, and for what. */
  #serveWrite(i: number, fd: number, handler: CheckedHandler): void {
    const ring = this.#ring;
    ring.restore();
    if (ring.fdAt(i) !== fd || (ring.eventsAt(i) & EVENT_WRITE) === 0) return;
    if (this.#selector[dataOf](fd) === handler) handler.onWritable(fd, ring.flagsAt(i));
  }

  /** @param before the count of registrations when the handler was called. */
  #contain(fd: number, handler: CheckedHandler, error: unknown, before: number): void {
    const onThrow = this.#report(error, handler);
    // Not a registration that the handler itself has made under the same number.
    if (onThrow === "remove") this.#registrations.removeCalled(fd, handler, before);
  }

  /** Gives an error to the nearest onError. @returns what becomes of its handler. */
  #report(error: unknown, handler?: EventHandler): OnThrow {
    const chosen = handler?.onThrow ?? this.#onThrow;
    let unhandled = error;
    try {
      if (handler?.onError !== undefined) {
        handler.onError(error);
        return chosen ?? "remove";
      }
    } catch (second) {
      unhandled = second;
    }
    if (this.#onError === undefined) {
      native.raise(unhandled);
      return chosen ?? "keep";
    }
    try {
      this.#onError(unhandled);
    } catch (last) {
      this.#failure ??= { error: last };
    }
    return chosen ?? "remove";
  }

  #takeFailure(): { readonly error: unknown } | null {
    const failure = this.#failure;
    this.#failure = null;
    return failure;
  }

  #runTimersAndTasks(): void {
    if (this.#timers.nextDueMs() === null && this.#tasks.length === 0) return;
    // They may wait themselves: the batch that is still to be dispatched is then put back.
    this.#ring.beginServing();
    this.#runDue();
    this.#ring.restore();
    this.#ring.endServing();
  }

  #runDue(): void {
    const nowMs = performance.now();
    for (let task = this.#timers.takeDue(nowMs); task; task = this.#timers.takeDue(nowMs)) {
      this.#guard(task);
    }
    if (this.#tasks.length === 0) return;
    this.#due = this.#tasks.reverse();
    this.#tasks = []; // what these post belongs to the next turn
    for (let task = this.#due.pop(); task; task = this.#due.pop()) this.#guard(task);
  }

  #guard(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#report(error);
    }
  }

  /** How long a wait may take: until the next timer; not at all if a task is posted. */
  #untilDueMs(): number | null {
    if (this.#tasks.length > 0 || this.#due.length > 0) return 0;
    const dueMs = this.#timers.nextDueMs();
    return dueMs === null ? null : Math.max(0, dueMs - performance.now());
  }
}
