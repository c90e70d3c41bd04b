// The client of the soak test: connections that are opened, echo one message and are closed, many
// at once, on a Reactor of its own.
//
// A port stays in TIME_WAIT for a minute after an orderly close, and there are some 28,000: so most
// cycles end by a reset (SO_LINGER 0), which leaves nothing behind, and one in 64 in the order of
// the book. tcp(7)

import {
  close,
  connectTcp,
  DefaultSelector,
  EAGAIN,
  EVENT_READ,
  EVENT_WRITE,
  type EventHandler,
  Reactor,
  recv,
  send,
  setLinger,
  shutdown,
  socketError,
} from "../../src/index.ts";

const AT_ONCE = 64;
const ORDERLY_EACH = 64;
const MESSAGE_BYTES = 64;
const STUCK_MS = 30_000;

export class Churn {
  readonly #port: number;
  readonly #selector = new DefaultSelector();
  readonly #reactor = new Reactor(this.#selector, { onError: (error) => this.#fail(error) });
  readonly buffer = new Uint8Array(2 * MESSAGE_BYTES);
  #left = 0;
  #open = 0;
  #failure: { readonly error: unknown } | null = null;
  /** Cycles that were done, the one under way included if one is. */
  done = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Does so many cycles. @throws what went wrong in one of them. */
  async run(cycles: number): Promise<void> {
    this.#left = cycles;
    let seen = -1;
    const check = () => {
      if (this.done === seen) this.#fail(new Error(`no cycle ended in ${STUCK_MS} ms`));
      seen = this.done;
    };
    const timer = this.#reactor.setTimer(STUCK_MS, check, { repeatMs: STUCK_MS });
    for (let i = 0; i < AT_ONCE; i++) this.#reactor.post(() => this.#next());
    await this.#reactor.run();
    timer.cancel();
    if (this.#failure !== null) throw this.#failure.error;
  }

  close(): void {
    this.#selector.close();
  }

  #next(): void {
    if (this.#left === 0 || this.#failure !== null) {
      if (this.#open === 0) this.#reactor.stop();
      return;
    }
    this.#left--;
    this.#open++;
    const cycle = new Cycle(this, this.#reactor, this.done + this.#open);
    this.#reactor.registerHandler(connectTcp({ port: this.#port }), EVENT_WRITE, cycle);
  }

  /** A cycle's connection has been closed. */
  ended(): void {
    this.#open--;
    this.done++;
    this.#next();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#reactor.stop();
  }
}

class Cycle implements EventHandler {
  readonly #churn: Churn;
  readonly #reactor: Reactor;
  readonly #number: number;
  #received = 0;

  constructor(churn: Churn, reactor: Reactor, number: number) {
    this.#churn = churn;
    this.#reactor = reactor;
    this.#number = number;
  }

  onWritable(fd: number): void {
    const error = socketError(fd);
    if (error !== 0) throw new Error(`cycle ${this.#number}: connect ended with errno ${error}`);
    const message = this.#churn.buffer.subarray(0, MESSAGE_BYTES);
    for (let i = 0; i < MESSAGE_BYTES; i++) message[i] = this.#byteAt(i);
    this.#expect(send(fd, message), MESSAGE_BYTES, "bytes were sent");
    this.#reactor.modify(fd, EVENT_READ);
  }

  onReadable(fd: number): void {
    const count = recv(fd, this.#churn.buffer);
    if (count === -EAGAIN) return;
    if (this.#received < MESSAGE_BYTES) {
      this.#receive(fd, count);
    } else {
      this.#expect(count, 0, "is what follows the echo");
      this.#reactor.removeHandler(fd);
    }
  }

  onClose(fd: number): void {
    close(fd);
    this.#churn.ended();
  }

  #receive(fd: number, count: number): void {
    if (count <= 0) throw new Error(`cycle ${this.#number}: recv answered ${count}`);
    for (let i = 0; i < count; i++) {
      this.#expect(this.#churn.buffer[i], this.#byteAt(this.#received + i), "is a byte of it");
    }
    this.#received += count;
    if (this.#received < MESSAGE_BYTES) return;
    if (this.#number % ORDERLY_EACH === 0) {
      shutdown(fd, "write"); // the server reads the end and closes
      return;
    }
    setLinger(fd, 0);
    this.#reactor.removeHandler(fd);
  }

  #byteAt(index: number): number {
    return (this.#number * 31 + index) & 0xff;
  }

  #expect(actual: number | undefined, expected: number, what: string): void {
    if (actual === expected) return;
    throw new Error(`cycle ${this.#number}: ${actual} ${what}, not ${expected}`);
  }
}
