// Registrations: the Reactor's handlers by descriptor, and what its selector watches for them.

import { assertEvents, descriptorOf, isInt32 } from "./arguments.ts";
import { SelectorError } from "./errors.ts";
import { assertHandler, type CheckedHandler, type EventHandler } from "./event-handler.ts";
import type { FileLike, RegisterOptions, Selector } from "./selector.ts";

export interface Registered {
  readonly file: FileLike;
  readonly fd: number;
  readonly options: RegisterOptions | undefined;
  handler: CheckedHandler;
  /** What the handler is called for while it is not paused. */
  events: number;
  /** Why the descriptor is not watched: suspend(), or modify() to no event. null: it is watched. */
  paused: "suspend" | "modify" | null;
  /** The count of registrations as it began; an earlier one of the same number has another. */
  since: number;
}

export class Registrations {
  readonly #selector: Selector<CheckedHandler>;
  readonly #closed: (registered: Registered) => void;
  readonly #byFd = new Map<number, Registered>();
  #count = 0;

  /** @param closed is called once for each registration, after it has ended. */
  constructor(selector: Selector<CheckedHandler>, closed: (registered: Registered) => void) {
    this.#selector = selector;
    this.#closed = closed;
  }

  get size(): number {
    return this.#byFd.size;
  }

  /** Registrations so far. */
  get count(): number {
    return this.#count;
  }

  add(file: FileLike, events: number, handler: EventHandler, options?: RegisterOptions): void {
    const fd = descriptorOf(file);
    assertEvents(events);
    assertHandler(handler, events);
    if (this.#byFd.has(fd)) {
      throw new SelectorError("ERR_SELECTOR_KEY_EXISTS", `fd ${fd} has a handler already`);
    }
    this.#selector.register(fd, events, handler, options);
    const since = ++this.#count;
    this.#byFd.set(fd, { file, fd, options, handler, events, paused: null, since });
  }

  modify(registered: Registered, events: number): void {
    assertEvents(events);
    assertHandler(registered.handler, events);
    if (registered.paused === null) this.#change(registered, events, registered.handler);
    if (registered.paused === "modify") this.#watch(registered, events);
    registered.events = events;
  }

  /** @returns the handler that was replaced. */
  replace(registered: Registered, handler: EventHandler, events: number): EventHandler {
    assertEvents(events);
    assertHandler(handler, events);
    if (registered.paused === null) this.#change(registered, events, handler);
    const replaced = registered.handler;
    registered.handler = handler;
    registered.events = events;
    registered.since = ++this.#count;
    return replaced;
  }

  pause(registered: Registered, why: "suspend" | "modify"): void {
    if (registered.paused === null) this.#selector.unregister(registered.fd);
    // A suspension stays until resume(), whatever modify() says meanwhile.
    if (registered.paused !== "suspend") registered.paused = why;
  }

  resume(registered: Registered): void {
    if (registered.paused !== null) this.#watch(registered, registered.events);
  }

  /** Also if the selector is closed, or no longer watches the descriptor. */
  remove(registered: Registered): void {
    const { fd, paused } = registered;
    if (paused === null && this.#selector.getMap()?.has(fd)) this.#selector.unregister(fd);
    this.#forget(registered);
  }

  /** Removes the handler that was called for `fd` when `count` was this, if it is still there. */
  removeCalled(fd: number, handler: EventHandler, count: number): void {
    const registered = this.#byFd.get(fd);
    if (registered?.handler === handler && registered.since <= count) this.remove(registered);
  }

  get(file: FileLike): Registered {
    const registered = this.find(file);
    if (registered !== undefined) return registered;
    const fd = descriptorOf(file);
    throw new SelectorError("ERR_SELECTOR_KEY_NOT_FOUND", `fd ${fd} has no handler`);
  }

  /** An object whose descriptor is gone (closed before it was removed) is found by itself. */
  find(file: FileLike): Registered | undefined {
    if (typeof file === "object" && file !== null && !(isInt32(file.fd) && file.fd >= 0)) {
      for (const registered of this.#byFd.values()) {
        if (registered.file === file) return registered;
      }
    }
    return this.#byFd.get(descriptorOf(file));
  }

  #watch(registered: Registered, events: number): void {
    const { fd, handler, options } = registered;
    this.#selector.register(fd, events, handler, options);
    registered.paused = null;
  }

  #change(registered: Registered, events: number, handler: CheckedHandler): void {
    try {
      this.#selector.modify(registered.fd, events, handler);
    } catch (error) {
      if (this.#selector.getMap()?.has(registered.fd) === false) this.#forget(registered);
      throw error;
    }
  }

  #forget(registered: Registered): void {
    this.#byFd.delete(registered.fd);
    this.#closed(registered);
  }
}
