// The Selector contract: types and constants. Python's selectors module is the model for its shape
// and its names; native-selector.ts implements it for every backend.

/** Readable: bytes, a connection to accept, or the end. Events are combined with `|`. */
export const EVENT_READ = 1;
/** Writable: room for bytes, or a connect that has ended. */
export const EVENT_WRITE = 2;

/** A bit of `readyFlags`: the other side is gone. POLLHUP, poll(2) */
export const FLAG_HANGUP = 1;
/** A bit of `readyFlags`: an error; for a socket, socketError() has it. POLLERR, poll(2) */
export const FLAG_ERROR = 2;
/** A bit of `readyFlags`: the peer has ended its side. POLLRDHUP, poll(2) */
export const FLAG_READ_CLOSED = 4;
/** A bit of `readyFlags`: urgent data, if it was registered with `priority`. POLLPRI, poll(2) */
export const FLAG_PRIORITY = 8;

/** A descriptor, or an object with a descriptor as `fd`. */
export type FileLike =
  | number
  | {
      /** The descriptor. */
      readonly fd: number;
    };

/** What a selector can be made of; availableBackends() reports which of them work here. */
export type BackendName = "select" | "poll" | "epoll" | "kqueue" | "io_uring";

/** How a registration reports. Not every backend supports each: see Capabilities. */
export interface RegisterOptions {
  /**
   * `level` (the default) reports for as long as the descriptor is ready; `edge` once each time it
   * becomes ready; `oneshot` once, then not again until the next `modify`.
   */
  readonly mode?: "level" | "edge" | "oneshot";
  /** Wakes one or a few of the selectors that watch the descriptor. EPOLLEXCLUSIVE, epoll_ctl(2) */
  readonly exclusive?: boolean;
  /** Also reports urgent data, as EVENT_READ with FLAG_PRIORITY. POLLPRI, poll(2) */
  readonly priority?: boolean;
}

/** What a selector's backend can do on this machine. */
export interface Capabilities {
  /** Whether `register` takes `mode: "edge"`. */
  readonly edge: boolean;
  /** Whether `register` takes `mode: "oneshot"`. */
  readonly oneshot: boolean;
  /** Whether `register` takes `exclusive`. */
  readonly exclusive: boolean;
  /** Whether `register` takes `priority`. */
  readonly priority: boolean;
  /** Whether regular files, which are always ready, can be registered. */
  readonly regularFiles: boolean;
  /** The largest descriptor it watches; null if only the limit of the process applies. */
  readonly maxFd: number | null;
  /** Timeouts are rounded up to a multiple of this. */
  readonly timeoutResolutionNs: number;
  /** How `wait` waits: the backend's descriptor nested in Node's loop, or one thread of its own. */
  readonly asyncWait: "nested" | "thread";
}

/** Options of Selector.wait. */
export interface WaitOptions {
  /** Milliseconds, as for `select`; without a deadline unless given. */
  readonly timeoutMs?: number | null;
  /** Ends the wait: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Ends a selector's wait from any thread. Several wakes end one wait; a wake before a wait ends the
 * next one.
 */
export interface Waker {
  /** Another thread of this process passes this number to openWaker(). */
  readonly handle: number;
  /** Does nothing if the selector is closed. */
  wake(): void;
  /** Disables this Waker; others with the same handle, and the selector, are not affected. */
  close(): void;
}

/** One registration; frozen. `modify` returns a new one. */
export interface SelectorKey<T = unknown> {
  /** What was passed to `register`. */
  readonly fileobj: FileLike;
  /** Its descriptor. */
  readonly fd: number;
  /** EVENT_READ | EVENT_WRITE, never 0. */
  readonly events: number;
  /** What was passed to `register` or to the last `modify`. */
  readonly data: T | undefined;
}

/** One registration that is ready. */
export interface ReadyEvent<T = unknown> {
  /** The registration. */
  readonly key: SelectorKey<T>;
  /** What is ready: a subset of `key.events`. */
  readonly events: number;
}

/** A live view of the registrations; it iterates descriptors. */
export interface ReadonlySelectorMap<T = unknown> extends Iterable<number> {
  /** How many descriptors are registered. */
  readonly size: number;
  /** Whether the descriptor is registered. */
  has(file: FileLike): boolean;
  /** Returns the registration of the descriptor; undefined if it has none. */
  get(file: FileLike): SelectorKey<T> | undefined;
  /** The descriptors. */
  keys(): IterableIterator<number>;
  /** The registrations. */
  values(): IterableIterator<SelectorKey<T>>;
  /** The descriptors, each with its registration. */
  entries(): IterableIterator<[number, SelectorKey<T>]>;
}

/**
 * A set of registered descriptors and a way to wait for them. It belongs to the thread that made
 * it. After `close`, `getMap` returns null and `readyKey` undefined; every other call except
 * `close` and those that read the last wait's events throws `ERR_SELECTOR_CLOSED`.
 */
export interface Selector<T = unknown> extends Disposable, AsyncIterable<ReadyEvent<T>[]> {
  /** The backend that it was made with. */
  readonly backend: BackendName;
  /** What that backend can do on this machine. */
  readonly capabilities: Capabilities;
  /** Whether `close` was called. */
  readonly closed: boolean;
  /** How many descriptors are registered. */
  readonly size: number;

  /**
   * Starts to watch a descriptor. A call that fails changes nothing.
   * @param events EVENT_READ, EVENT_WRITE or both.
   * @param data any value; the key has it.
   * @throws {RangeError | TypeError} ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE for bad events or
   *   descriptors.
   * @throws {SelectorError} ERR_SELECTOR_KEY_EXISTS if the descriptor is registered;
   *   ERR_SELECTOR_UNSUPPORTED for an option that the backend lacks; the message names those that
   *   have it.
   * @throws {Error} if the system refused, in Node's form: `{ code: 'EPERM', errno, syscall:
   *   'epoll_ctl' }`.
   * @see epoll_ctl(2)
   */
  register(file: FileLike, events: number, data?: T, options?: RegisterOptions): SelectorKey<T>;

  /**
   * Replaces events and data. If the system refuses, the descriptor is unregistered, as the message
   * states.
   * @throws {SelectorError} ERR_SELECTOR_KEY_NOT_FOUND if the descriptor is not registered.
   */
  modify(file: FileLike, events: number, data?: T): SelectorKey<T>;

  /**
   * Stops watching a descriptor, even if it has been closed in the meantime.
   * @throws {SelectorError} ERR_SELECTOR_KEY_NOT_FOUND if it is not registered.
   */
  unregister(file: FileLike): SelectorKey<T>;

  /**
   * Returns the registration of a descriptor.
   * @throws {SelectorError} ERR_SELECTOR_KEY_NOT_FOUND if the descriptor is not registered.
   */
  getKey(file: FileLike): SelectorKey<T>;

  /** Returns a live view of the registrations; null once closed. */
  getMap(): ReadonlySelectorMap<T> | null;

  /**
   * Blocks this thread until a registered descriptor is ready or the timeout passes.
   * @param timeoutMs milliseconds; null or Infinity waits without a deadline, 0 or less does not
   *   block. Fractions round up. Work of Node's own loop (a signal, a message, a timer) never ends
   *   a wait with a deadline. It ends a wait without one with an empty result; if descriptors are
   *   ready as well, the wait returns them, and the next one returns the empty result. A caller
   *   that yields to Node after each empty result (`await setTimeout()` of node:timers/promises)
   *   therefore misses no event of Node; a caller that never yields gets one empty result per event
   *   of Node. Because Node's loop does not always show its timers, a wait without a deadline also
   *   ends empty after 50 ms, once until the caller yields. A call that does not block also returns
   *   an empty result for Node after 256 calls in a row with events.
   * @returns the ready keys, each with the subset of its registered interest that is ready; empty
   *   on timeout.
   * @throws {RangeError | TypeError} ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE for an invalid
   *   timeout. {Error} in Node's form if the system refuses the wait.
   * @see epoll_pwait2(2), ppoll(2), pselect(2)
   */
  select(timeoutMs?: number | null): ReadyEvent<T>[];

  /**
   * The same wait without an allocation: the events stay in a ring that `readyKey`, `readyEvents`
   * and `readyFlags` read until the next wait.
   * @returns the number of ready events.
   */
  poll(timeoutMs?: number | null): number;

  /**
   * Returns the key of ready event `i`; undefined if it was unregistered, or its descriptor
   * registered again, since `poll`.
   */
  readyKey(i: number): SelectorKey<T> | undefined;
  /** EVENT_READ | EVENT_WRITE of ready event `i`, less what `modify` has dropped since `poll`. */
  readyEvents(i: number): number;
  /**
   * FLAG_HANGUP | FLAG_ERROR | FLAG_READ_CLOSED | FLAG_PRIORITY of ready event `i`, as far as the
   * backend reports them.
   */
  readyFlags(i: number): number;

  /**
   * The same wait as a promise: it does not block the thread, and Node's event loop continues. The
   * descriptors are watched only while a wait is pending. `for await (const ready of selector)`
   * waits repeatedly until `close`.
   * @returns the ready keys; empty on timeout and after a wake.
   * @throws the signal's reason once it is aborted; ERR_SELECTOR_CLOSED if `close` is called first.
   * @see uv_poll_t in libuv
   */
  wait(options?: WaitOptions): Promise<ReadyEvent<T>[]>;

  /** Makes a Waker, which ends this selector's waits, `wait` included, from any thread. */
  waker(): Waker;

  /** From now on a pending `wait` keeps the process alive; this is the default. */
  ref(): this;
  /** From now on a pending `wait` does not keep the process alive, nor does its deadline. */
  unref(): this;

  /**
   * Returns the backend's own descriptor (epoll's), null if it has none. It is readable while
   * descriptors are ready. Over io_uring it stays so until the next wait, even if they are not
   * ready any more.
   */
  fileno(): number | null;
  /**
   * Ends every registration and closes the selector's own descriptors, not the registered ones.
   * Closing twice is a no-op. A selector that is garbage-collected is closed some time later; one
   * with a pending `wait` is not collected.
   */
  close(): void;
}
