// Pumps: they give an engine its turns while any of its connections is open. The pump is Node's own
// loop, or a Reactor that the program runs (in a worker that blocks, for example).

import { constants } from "node:os";
import { invalidValue, throwLater } from "./errors.ts";
import { native, RING_WISHES_END, systemError } from "./native.ts";
import type { Reactor } from "./reactor.ts";
import { EVENT_READ } from "./selector.ts";
import type { Timer } from "./timer-queue.ts";

export interface Pump {
  /** Something is to be open; a second call is a no-op. @throws {Error} if it cannot start. */
  start(): void;
  /** Nothing is open any more. */
  stop(): void;
  /** Something was submitted outside a turn. */
  submitted(): void;
  /** Calls a task soon. */
  later(task: () => void): void;
  /** Makes what a handler threw an 'uncaughtException'. */
  raise(thrown: unknown): void;
}

/** An engine as its pump knows it. */
export interface Pumped {
  readonly id: number;
  /** The index of the wish in `head`. */
  readonly wishAt: number;
  readonly head: Int32Array;
  /** Dispatches the completions of the last turn; it does not throw. */
  readonly turn: () => void;
}

/** Turns within Node's loop, which looks at what was submitted before it waits. */
export class HostedPump implements Pump {
  readonly #engine: Pumped;
  #running = false;
  #wanted = false;

  constructor(engine: Pumped) {
    this.#engine = engine;
  }

  start(): void {
    this.#wanted = true;
    this.#engine.head[this.#engine.wishAt] = 0;
    if (!this.#running) this.#run();
  }

  stop(): void {
    this.#wanted = false;
    this.#engine.head[this.#engine.wishAt] = RING_WISHES_END;
  }

  submitted(): void {}

  later(task: () => void): void {
    queueMicrotask(task);
  }

  raise(thrown: unknown): void {
    throwLater(thrown);
  }

  #run(): void {
    const { id, turn } = this.#engine;
    const answer = native.engineRun(id, turn, (over) => this.#over(over));
    if (answer < 0) throw systemError(answer, "cannot share Node's event loop");
    this.#running = true;
  }

  #over(answer: number): void {
    this.#running = false;
    if (answer < 0) throwLater(systemError(answer, "cannot wait for connections"));
    else if (this.#wanted) this.#run();
  }
}

/** Turns of a Reactor: the engine's own descriptor is one of its handlers. */
export class ReactorPump implements Pump {
  readonly #engine: Pumped;
  readonly #reactor: Reactor;
  readonly #fd: number;
  #started = false;
  #serving = false;
  #posted = false;
  #timer: Timer | null = null;

  /** @throws {Error} for a backend without a descriptor that another one can watch. */
  constructor(engine: Pumped, reactor: Reactor) {
    this.#engine = engine;
    this.#reactor = reactor;
    this.#fd = native.engineFileno(engine.id);
    if (this.#fd < 0) {
      throw invalidValue(
        "a reactor cannot watch this backend: epoll, kqueue or io_uring is needed",
      );
    }
  }

  start(): void {
    if (this.#started) return;
    this.#reactor.registerHandler(this.#fd, EVENT_READ, { onReadable: () => this.#serve() });
    this.#started = true;
    this.#post();
  }

  stop(): void {
    this.#started = false;
    this.#timer?.cancel();
    this.#timer = null;
    this.#reactor.removeHandler(this.#fd);
  }

  submitted(): void {
    if (!this.#serving) this.#post();
  }

  /** A thread that blocks in handleEvents() runs no microtask, and one may run no turn any more. */
  later(task: () => void): void {
    let left: (() => void) | null = task;
    const once = () => {
      const call = left;
      left = null;
      call?.();
    };
    // Not within a handler that runs the Reactor.
    const posted = () => (this.#serving ? this.#reactor.post(posted) : once());
    queueMicrotask(once);
    this.#reactor.post(posted);
  }

  /** Nor does such a thread run process.nextTick(). */
  raise(thrown: unknown): void {
    native.raise(thrown);
  }

  #post(): void {
    if (this.#posted || !this.#started) return;
    this.#posted = true;
    this.#reactor.post(() => {
      this.#posted = false;
      this.#serve();
    });
  }

  #serve(): void {
    // A handler may run the Reactor: the turn that called it goes on first, and then looks again.
    if (!this.#started || this.#serving) return;
    this.#serving = true;
    const count = native.engineTurn(this.#engine.id);
    if (count > 0) this.#engine.turn();
    if (count < 0 && count !== -constants.errno.EINTR) {
      this.#serving = false;
      this.stop();
      this.raise(systemError(count, "cannot wait for connections"));
      return;
    }
    const dueMs = native.engineSettle(this.#engine.id);
    this.#serving = false;
    this.#timer?.cancel();
    this.#timer = null;
    if (dueMs === 0) this.#post();
    else if (dueMs > 0) this.#timer = this.#reactor.setTimer(dueMs, () => this.#serve());
  }
}
