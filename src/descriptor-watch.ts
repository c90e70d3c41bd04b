// DescriptorWatch: calls back on Node's event loop while a descriptor is ready. All watches of a
// thread share one selector, so that a thousand streams cost one descriptor and no thread.

import { AsyncResource } from "node:async_hooks";
import { SelectorError, throwLater } from "./errors.ts";
import { EVENT_READ, EVENT_WRITE } from "./selector.ts";
import { DefaultSelector } from "./selectors.ts";

export interface WatchObserver {
  /** Called once per turn of Node's loop while the descriptor is ready. */
  onReady(): void;
  /** The shared selector failed; the watch is stopped. */
  onFailure(error: Error): void;
}

type Direction = typeof EVENT_READ | typeof EVENT_WRITE;

/** The started watches of one descriptor, one per direction. */
interface Slot {
  [EVENT_READ]: DescriptorWatch | null;
  [EVENT_WRITE]: DescriptorWatch | null;
}

/** One direction of one descriptor. The observer is called in the async context of its stream. */
export class DescriptorWatch extends AsyncResource {
  readonly fd: number;
  readonly direction: Direction;
  readonly observer: WatchObserver;
  #started = false;
  #keepsAlive = true;

  constructor(fd: number, direction: Direction, observer: WatchObserver) {
    super("io_selectors:stream");
    this.fd = fd;
    this.direction = direction;
    this.observer = observer;
  }

  /** Keeps the process alive; starting twice is a no-op. @throws what Selector.register throws. */
  start(): void {
    if (this.#started) return;
    sharedLoop().add(this);
    this.#started = true;
    if (this.#keepsAlive) sharedLoop().keepAlive(1);
  }

  /** Stopping twice is a no-op. A descriptor must be stopped before it is closed. */
  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    sharedLoop().remove(this);
    if (this.#keepsAlive) sharedLoop().keepAlive(-1);
  }

  /** Whether the watch keeps the process alive while it is started; it does by default. */
  setRef(keepsAlive: boolean): void {
    if (keepsAlive === this.#keepsAlive) return;
    this.#keepsAlive = keepsAlive;
    if (this.#started) sharedLoop().keepAlive(keepsAlive ? 1 : -1);
  }
}

/** The loop serves the streams of several callers, so it runs in the context of none. */
const loopContext = new AsyncResource("io_selectors:streams");

class WatchLoop {
  readonly #selector = new DefaultSelector<Slot>();
  readonly #slots = new Map<number, Slot>();
  #alive = 0;
  #running = false;

  constructor() {
    this.#selector.unref();
  }

  add(watch: DescriptorWatch): void {
    const { fd, direction } = watch;
    const slot = this.#slots.get(fd);
    if (slot === undefined) {
      const created: Slot = { [EVENT_READ]: null, [EVENT_WRITE]: null, [direction]: watch };
      this.#selector.register(fd, direction, created);
      this.#slots.set(fd, created);
    } else {
      if (slot[direction] !== null) throw occupied(watch);
      const refusal = this.#modify(fd, EVENT_READ | EVENT_WRITE, slot);
      if (refusal !== null) throw refusal;
      slot[direction] = watch;
    }
    if (!this.#running) loopContext.runInAsyncScope(() => void this.#run());
  }

  remove({ fd, direction }: DescriptorWatch): void {
    const slot = this.#slots.get(fd);
    if (slot === undefined) return;
    slot[direction] = null;
    const left = direction === EVENT_READ ? EVENT_WRITE : EVENT_READ;
    if (slot[left] !== null) {
      this.#modify(fd, left, slot);
      return;
    }
    this.#slots.delete(fd);
    this.#selector.unregister(fd);
  }

  /** Adds to the number of watches that keep the process alive. */
  keepAlive(change: number): void {
    const before = this.#alive;
    this.#alive += change;
    if (before === 0) this.#selector.ref();
    if (this.#alive === 0) this.#selector.unref();
  }

  /**
   * The system refuses a descriptor that was closed by other means. Its started watches then fail.
   * @returns why it was refused, or null.
   */
  #modify(fd: number, events: number, slot: Slot): Error | null {
    try {
      this.#selector.modify(fd, events, slot);
      return null;
    } catch (error) {
      this.#slots.delete(fd); // the selector has unregistered it
      fail(slot, error as Error);
      return error as Error;
    }
  }

  /** Waits without end: without a started watch it keeps nothing alive. */
  async #run(): Promise<void> {
    this.#running = true;
    try {
      for (;;) {
        for (const { key, events } of await this.#selector.wait()) {
          if (key.data !== undefined) this.#dispatch(key.data, events);
        }
        // A wait that finds something returns without sleeping: Node's loop comes first.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.#running = false;
      for (const slot of [...this.#slots.values()]) fail(slot, error as Error);
    }
  }

  /** A handler that was called before may have stopped the watch. */
  #dispatch(slot: Slot, events: number): void {
    if ((events & EVENT_READ) !== 0) call(slot[EVENT_READ], (observer) => observer.onReady());
    if ((events & EVENT_WRITE) !== 0) call(slot[EVENT_WRITE], (observer) => observer.onReady());
  }
}

let loop: WatchLoop | undefined;

function sharedLoop(): WatchLoop {
  loop ??= new WatchLoop();
  return loop;
}

function fail(slot: Slot, error: Error): void {
  for (const watch of [slot[EVENT_READ], slot[EVENT_WRITE]]) {
    watch?.stop();
    call(watch, (observer) => observer.onFailure(error));
  }
}

/** What a listener throws is the process's uncaughtException, as everywhere in Node. */
function call(watch: DescriptorWatch | null, tell: (observer: WatchObserver) => void): void {
  watch?.runInAsyncScope(() => {
    try {
      tell(watch.observer);
    } catch (error) {
      throwLater(error);
    }
  });
}

function occupied({ fd, direction }: DescriptorWatch): SelectorError {
  const verb = direction === EVENT_READ ? "read" : "written";
  return new SelectorError(
    "ERR_SELECTOR_KEY_EXISTS",
    `fd ${fd} is being ${verb} by another stream: use one stream, or dup() the descriptor`,
  );
}
