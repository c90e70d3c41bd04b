// Reactor: Schmidt's initiation dispatcher over an injected Selector.
// https://www.dre.vanderbilt.edu/~schmidt/PDF/reactor-siemens.pdf Enters: a Selector, handlers,
// timers, posted tasks. Leaves: calls of the handlers, one after another, on this thread.

import { invalidValue, SelectorError } from "./errors.ts";
import {
  type NativeSelector,
  readyData,
  readyFd,
  run,
  wishEnd,
  wishTurn,
} from "./native-selector.ts";
import {
  EVENT_READ,
  EVENT_WRITE,
  type FileLike,
  type RegisterOptions,
  type Selector,
} from "./selector.ts";
import { type Timer, TimerQueue } from "./timer-queue.ts";

/**
 * What is called when its descriptor is ready. A handler that throws gets onError, is removed, and
 * gets onClose.
 */
export interface EventHandler {
  onReadable?(fd: number): void;
  onWritable?(fd: number): void;
  /** Without it, what was thrown goes to the Reactor's own onError. */
  onError?(error: unknown): void;
  /**
   * Exactly once, when the handler is removed for whatever reason. The descriptor is the handler's
   * to close.
   */
  onClose?(fd: number): void;
}

export interface ReactorOptions {
  /**
   * What timers, tasks and handlers without an onError of their own throw; a process warning unless
   * given.
   */
  readonly onError?: (error: unknown) => void;
}

interface Registered {
  readonly fd: number;
  readonly handler: EventHandler;
  readonly options: RegisterOptions | undefined;
  /** What to watch for again on resume; null while it is watched. */
  suspendedEvents: number | null;
}

/** Ready descriptors that a turn of run() goes on looking for; a wait may bring more. */
const EVENTS_PER_TURN = 64;

/** What performance.now() tells apart. */
const SHORTEST_REPEAT_MS = 0.001;

export class Reactor {
  readonly #selector: NativeSelector<EventHandler>;
  readonly #onError: (error: unknown) => void;
  readonly #registered = new Map<number, Registered>();
  readonly #timers = new TimerQueue();
  #tasks: (() => void)[] = [];
  #running = false;
  #stopped = false;
  #turns = 0;
  #events = 0;

  /**
   * @param selector belongs to the Reactor from now on as far as its registrations go; closing it
   *   stays the caller's.
   */
  constructor(selector: Selector, options: ReactorOptions = {}) {
    // Every Selector of this package is a NativeSelector; run() needs what only that can do.
    this.#selector = selector as NativeSelector<EventHandler>;
    this.#onError = options.onError ?? ((error) => process.emitWarning(asError(error)));
  }

  /**
   * Waits so far, and the ready descriptors that they brought: events a wait says how well a loop
   * batches.
   */
  get turns(): number {
    return this.#turns;
  }
  get events(): number {
    return this.#events;
  }

  /** How many handlers are registered, suspended ones included. */
  get size(): number {
    return this.#registered.size;
  }

  /**
   * Calls `handler` whenever the descriptor is ready for one of `events`.
   * @param options as for Selector.register, such as `exclusive` for a listener that several
   *   processes share.
   * @throws what Selector.register throws.
   */
  registerHandler(
    file: FileLike,
    events: number,
    handler: EventHandler,
    options?: RegisterOptions,
  ): void {
    const fd = fdOf(file);
    if (this.#registered.has(fd)) {
      throw new SelectorError("ERR_SELECTOR_KEY_EXISTS", `fd ${fd} has a handler already`);
    }
    this.#selector.register(fd, events, handler, options);
    this.#registered.set(fd, { fd, handler, options, suspendedEvents: null });
  }

  /**
   * Replaces what a handler is called for. @throws what Selector.modify throws; the handler is
   * removed then.
   */
  modify(file: FileLike, events: number): void {
    const registered = this.#get(file);
    if (registered.suspendedEvents !== null) {
      registered.suspendedEvents = events;
      return;
    }
    try {
      this.#selector.modify(registered.fd, events, registered.handler);
    } catch (error) {
      if (!this.#selector.getMap()?.has(registered.fd)) this.#forget(registered);
      throw error;
    }
  }

  /** Removes a handler and calls its onClose; silent where there is none. */
  removeHandler(file: FileLike): void {
    const registered = this.#registered.get(fdOf(file));
    if (registered === undefined) return;
    if (registered.suspendedEvents === null) this.#selector.unregister(registered.fd);
    this.#forget(registered);
  }

  /** Stops calling a handler until resume(); what becomes ready meanwhile is reported then. */
  suspend(file: FileLike): void {
    const registered = this.#get(file);
    if (registered.suspendedEvents !== null) return;
    registered.suspendedEvents = this.#selector.unregister(registered.fd).events;
  }

  /**
   * Ends suspend(); silent where the handler is not suspended. @throws what Selector.register
   * throws.
   */
  resume(file: FileLike): void {
    const registered = this.#get(file);
    if (registered.suspendedEvents === null) return;
    const { fd, handler, options, suspendedEvents } = registered;
    this.#selector.register(fd, suspendedEvents, handler, options);
    registered.suspendedEvents = null;
  }

  /**
   * Calls `task` after `delayMs` milliseconds, never early.
   * @param options.repeatMs calls it again that long after each call; a microsecond at least.
   * @throws {RangeError} ERR_INVALID_ARG_VALUE for what is no time.
   */
  setTimer(delayMs: number, task: () => void, options: { readonly repeatMs?: number } = {}): Timer {
    const { repeatMs = null } = options;
    if (typeof delayMs !== "number" || Number.isNaN(delayMs)) {
      throw invalidValue(`delayMs is ${delayMs}, which is no number of milliseconds`);
    }
    if (repeatMs !== null && !(repeatMs >= SHORTEST_REPEAT_MS)) {
      throw invalidValue(`repeatMs is ${repeatMs}; leave it out, or give 0.001 or more`);
    }
    this.#selector[wishTurn]();
    return this.#timers.add(performance.now() + delayMs, repeatMs, task);
  }

  /** Calls `task` in the next turn, after the timers and before the ready handlers. */
  post(task: () => void): void {
    this.#selector[wishTurn]();
    this.#tasks.push(task);
  }

  /**
   * One turn: due timers, posted tasks, then for each ready descriptor read before write. Blocks
   * this thread.
   * @param timeoutMs as Selector.poll; a timer or a posted task ends the wait in time.
   * @returns the number of ready descriptors.
   */
  handleEvents(timeoutMs: number | null = null): number {
    const ready = this.#selector.poll(this.#timeout(timeoutMs));
    this.#runTimersAndTasks();
    this.#dispatch(ready);
    return ready;
  }

  /**
   * Serves until stop(), on the same thread as Node's own event loop: timers, immediates, signals,
   * workers, sockets, other Reactors and `wait()`s go on working. As after Node's own callbacks,
   * ticks, promise jobs and unhandled rejections are served after each turn. Begins with the loop's
   * next pass. docs/event-loop.md says how the thread is shared, and what Node's event loop
   * utilization means meanwhile.
   * @throws what ends it: ERR_SELECTOR_CLOSED, what this Reactor's own onError throws, EBUSY if
   *   another Reactor runs on the same selector.
   * @param options.signal stops it, too.
   */
  async run(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#running) throw new Error("this Reactor is running already");
    if (options.signal?.aborted) return;
    const stop = () => this.stop();
    options.signal?.addEventListener("abort", stop, { once: true });
    this.#running = true;
    this.#stopped = false;
    try {
      await this.#runHosted();
    } finally {
      this.#running = false;
      options.signal?.removeEventListener("abort", stop);
    }
  }

  /** Ends run() after the turn under way. */
  stop(): void {
    this.#stopped = true;
    this.#selector[wishEnd]();
  }

  async #runHosted(): Promise<void> {
    // Where the kernel keeps the set, looking at it costs no more than what is ready.
    const looksAgain = this.#selector.capabilities.asyncWait === "nested";
    let failure: { readonly error: unknown } | null = null;
    await this.#selector[run]((ready) => {
      try {
        this.#runTimersAndTasks();
        this.#dispatch(ready);
        if (looksAgain) this.#dispatchMore(ready);
      } catch (error) {
        failure ??= { error };
        this.stop();
      }
      return this.#timeout(null);
    });
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
  }

  /**
   * Where a wait brought more than one event, what became ready meanwhile belongs to the same turn,
   * look by look until one brings no more than that: going back to Node costs more than looking.
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
    this.#turns++;
    this.#events += ready;
    for (let i = 0; i < ready; i++) {
      // Looked up one by one: an earlier handler of this batch may have removed this one, or its
      // descriptor may be another's.
      const handler = selector[readyData](i);
      if (handler === undefined) continue;
      const fd = selector[readyFd](i);
      const events = selector.readyEvents(i);
      try {
        if ((events & EVENT_READ) !== 0) handler.onReadable?.(fd);
        if ((events & EVENT_WRITE) === 0 || selector[readyData](i) !== handler) continue;
        // Asked again: onReadable may have modified what it is called for.
        if ((selector.readyEvents(i) & EVENT_WRITE) !== 0) handler.onWritable?.(fd);
      } catch (error) {
        this.#contain(fd, handler, error);
      }
    }
  }

  #contain(fd: number, handler: EventHandler, error: unknown): void {
    try {
      if (handler.onError === undefined) this.#onError(error);
      else handler.onError(error);
    } catch (second) {
      this.#onError(second);
    }
    if (this.#registered.get(fd)?.handler === handler) this.removeHandler(fd);
  }

  #forget(registered: Registered): void {
    this.#registered.delete(registered.fd);
    this.#guard(() => registered.handler.onClose?.(registered.fd));
  }

  #runTimersAndTasks(): void {
    const nextDueMs = this.#timers.nextDueMs();
    if (nextDueMs !== null) {
      const nowMs = performance.now();
      for (let task = this.#timers.takeDue(nowMs); task; task = this.#timers.takeDue(nowMs)) {
        this.#guard(task);
      }
    }
    if (this.#tasks.length === 0) return;
    const tasks = this.#tasks;
    this.#tasks = []; // what these post belongs to the next turn
    for (const task of tasks) this.#guard(task);
  }

  #guard(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#onError(error);
    }
  }

  /** The caller's timeout, cut short by the next timer, and to nothing by a posted task. */
  #timeout(timeoutMs: number | null): number | null {
    if (this.#tasks.length > 0) return 0;
    const dueMs = this.#timers.nextDueMs();
    if (dueMs === null) return timeoutMs;
    const untilDueMs = Math.max(0, dueMs - performance.now());
    return timeoutMs === null ? untilDueMs : Math.min(timeoutMs, untilDueMs);
  }

  #get(file: FileLike): Registered {
    const registered = this.#registered.get(fdOf(file));
    if (registered !== undefined) return registered;
    throw new SelectorError("ERR_SELECTOR_KEY_NOT_FOUND", `fd ${fdOf(file)} has no handler`);
  }
}

function fdOf(file: FileLike): number {
  return typeof file === "number" ? file : file.fd;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
