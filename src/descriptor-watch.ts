// DescriptorWatch: calls back on Node's event loop while a descriptor is ready. All watches of a
// thread share one selector, so that a thousand streams cost one descriptor and no thread.

import { SelectorError } from "./errors.ts";
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

/** One direction of one descriptor. */
export class DescriptorWatch {
  readonly fd: number;
  readonly direction: Direction;
  readonly observer: WatchObserver;
  #started = false;
  #keepsAlive = true;

  constructor(fd: number, direction: Direction, observer: WatchObserver) {
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
      this.#selector.modify(fd, EVENT_READ | EVENT_WRITE, slot);
      slot[direction] = watch;
    }
    if (!this.#running) void this.#run();
  }

  remove({ fd, direction }: DescriptorWatch): void {
    const slot = this.#slots.get(fd);
    if (slot === undefined) return;
    slot[direction] = null;
    const left = direction === EVENT_READ ? EVENT_WRITE : EVENT_READ;
    if (slot[left] !== null) {
      this.#selector.modify(fd, left, slot);
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
      this.#fail(error as Error);
    }
  }

  /** A handler that was called before may have stopped the watch. */
  #dispatch(slot: Slot, events: number): void {
    if ((events & EVENT_READ) !== 0) contain(() => slot[EVENT_READ]?.observer.onReady());
    if ((events & EVENT_WRITE) !== 0) contain(() => slot[EVENT_WRITE]?.observer.onReady());
  }

  #fail(error: Error): void {
    for (const slot of [...this.#slots.values()]) {
      for (const watch of [slot[EVENT_READ], slot[EVENT_WRITE]]) {
        watch?.stop();
        contain(() => watch?.observer.onFailure(error));
      }
    }
  }
}

let loop: WatchLoop | undefined;

function sharedLoop(): WatchLoop {
  loop ??= new WatchLoop();
  return loop;
}

/** What a listener throws is the process's uncaughtException, as everywhere in Node. */
function contain(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

function occupied({ fd, direction }: DescriptorWatch): SelectorError {
  const verb = direction === EVENT_READ ? "read" : "written";
  return new SelectorError(
    "ERR_SELECTOR_KEY_EXISTS",
    `fd ${fd} is being ${verb} by another stream: use one stream, or dup() the descriptor`,
  );
}
