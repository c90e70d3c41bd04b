// One connection of the library and a bare descriptor as its peer, with a model of both: how many
// bytes each has sent and received, what each has ended, and what may be called when.

import { constants } from "node:os";
import {
  adopt,
  type Connection,
  type ConnectionHandlers,
  type ConnectionOptions,
  close,
  type Detached,
  recv,
  send,
  setLinger,
  shutdown,
} from "../../src/index.ts";

const { EAGAIN, ECONNRESET, EPIPE, ENOTCONN } = constants.errno;
/** Prime, so that no buffer's size divides it. */
const PERIOD = 65_521;
export const LONGEST_WRITE = 256 << 10;
const pattern = Buffer.alloc(PERIOD + LONGEST_WRITE);
for (let i = 0; i < pattern.length; i++)
  pattern[i] = ((i % PERIOD) * 31 + ((i % PERIOD) >> 8)) & 255;

const buffer = Buffer.alloc(LONGEST_WRITE);

/** What goes one way: byte `i` of it is known from `i` alone. */
class Flow {
  sent = 0;
  received = 0;
  ended = false;
  readonly #salt: number;

  constructor(salt: number) {
    this.#salt = salt;
  }

  /** The next bytes to send. */
  next(length: number): Buffer {
    const from = (this.sent + this.#salt) % PERIOD;
    return pattern.subarray(from, from + length);
  }

  /** @throws {Error} if these are not the next bytes that were sent. */
  receive(bytes: Uint8Array, what: string): void {
    const from = (this.received + this.#salt) % PERIOD;
    const right = pattern.subarray(from, from + bytes.length);
    if (right.compare(bytes) !== 0) throw new Error(`${what} other bytes at ${this.received}`);
    this.received += bytes.length;
    if (this.received <= this.sent) return;
    throw new Error(`${what} ${this.received} bytes of ${this.sent}`);
  }
}

/** What the fuzzer does inside a data handler. */
export type InHandler = (pair: ConnectionPair, bytes: Uint8Array) => void;

export class ConnectionPair {
  readonly name: string;
  readonly toPeer: Flow;
  readonly fromPeer: Flow;
  readonly options: ConnectionOptions;
  readonly #inHandler: InHandler;
  readonly #failed: (error: Error) => void;
  /** The library's side; null until it has been opened. */
  connection: Connection | null = null;
  peer: number;
  destroyed = false;
  threw = false;
  paused = false;
  needsDrain = false;
  closes = 0;
  ends = 0;
  /** The peer has reset, or closed with bytes unread: what was under way may be lost. */
  broken = false;

  constructor(
    index: number,
    peer: number,
    options: ConnectionOptions,
    callbacks: { readonly inHandler: InHandler; readonly failed: (error: Error) => void },
  ) {
    this.name = `#${index}`;
    this.toPeer = new Flow(index * 7919);
    this.fromPeer = new Flow(index * 104_729 + 5);
    this.peer = peer;
    this.options = options;
    this.#inHandler = callbacks.inHandler;
    this.#failed = callbacks.failed;
  }

  get over(): boolean {
    return this.destroyed || this.closes > 0;
  }

  readonly handlers: ConnectionHandlers = {
    data: (connection, bytes) =>
      this.#called(connection, "data", () => {
        if (this.paused) throw new Error("data while it is paused");
        if (this.ends > 0) throw new Error("data after end");
        this.fromPeer.receive(bytes, "it received");
        this.#inHandler(this, bytes);
      }),
    drain: (connection) =>
      this.#called(connection, "drain", () => {
        if (!this.needsDrain) throw new Error("drain that was not asked for");
        if (this.toPeer.ended) throw new Error("drain after the end");
        this.needsDrain = false;
        const { lowWaterMark = Math.floor((this.options.highWaterMark ?? 65_536) / 4) } =
          this.options;
        const { bufferedBytes } = connection;
        if (bufferedBytes > lowWaterMark) throw new Error(`drain with ${bufferedBytes} bytes`);
      }),
    end: (connection) =>
      this.#called(connection, "end", () => {
        if (this.paused) throw new Error("end while it is paused");
        this.ends++;
        const { sent, received, ended } = this.fromPeer;
        if (!ended && !this.broken) throw new Error("end, and the peer has not ended");
        if (received !== sent && !this.broken) throw new Error(`end after ${received} of ${sent}`);
        if (this.ends > 1) throw new Error("end twice");
        if (this.options.allowHalfOpen !== true) this.toPeer.ended = true;
      }),
    error: (connection, thrown) => {
      if (thrown !== THROWN) this.#failed(thrown as Error);
      if (connection !== this.connection) this.#failed(new Error("error of another connection"));
      this.destroyed = true;
    },
    close: (connection, error) => {
      this.closes++;
      this.#check(connection, "close");
      if (this.closes > 1) this.#failed(new Error(`${this.name}: close twice`));
      const bothEnded = this.toPeer.ended && this.ends > 0;
      const reason = error === null && !bothEnded && !this.destroyed && !this.broken;
      if (reason) this.#failed(new Error(`${this.name}: close without a reason`));
      const excused = this.broken || this.destroyed;
      if (error !== null && !excused) this.#failed(new Error(`${this.name}: ${error.message}`));
    },
  };

  open(connection: Connection): void {
    this.connection = connection;
  }

  write(length: number): string {
    const { connection } = this;
    if (connection === null) return "-";
    const bytes = this.toPeer.next(length);
    const writable = !this.over && !this.toPeer.ended;
    this.#expect(connection.writable, writable, "writable");
    if (this.over) {
      this.#expect(connection.write(bytes), false, "write() once destroyed");
      return "discarded";
    }
    if (this.toPeer.ended) {
      try {
        connection.write(bytes);
      } catch {
        return "refused";
      }
      throw new Error("write() after end() was not refused");
    }
    const below = connection.write(bytes);
    this.toPeer.sent += length;
    const { highWaterMark = 65_536 } = this.options;
    this.#expect(below, connection.bufferedBytes <= highWaterMark, "write()'s answer");
    if (!below) this.needsDrain = true;
    return `${length}${below ? "" : ", above"}`;
  }

  end(): void {
    if (this.connection === null) return;
    this.connection.end();
    if (!this.over) this.toPeer.ended = true;
  }

  destroy(): void {
    if (this.connection === null) return;
    this.connection.destroy();
    this.destroyed = true;
    this.#expect(this.connection.closed, true, "closed");
  }

  pause(on: boolean): void {
    if (this.connection === null || this.over) return;
    if (on) this.connection.pause();
    else this.connection.resume();
    this.paused = on;
    this.#expect(this.connection.paused, on, "paused");
  }

  /** Detaches the descriptor, and makes another connection of it. */
  handOver(): string {
    const { connection } = this;
    if (connection === null || this.over || this.toPeer.ended || this.ends > 0) return "-";
    if (connection.bufferedBytes > 0) return "busy";
    const detached = this.#detach(connection);
    if (detached === null) return "lost";
    const { fd, unread } = detached;
    this.fromPeer.receive(unread, "detach gave");
    this.paused = false;
    this.needsDrain = false;
    this.connection = adopt(fd, this.handlers, this.options);
    return `${unread.length} unread`;
  }

  /** @returns null if the engine has seen the peer's reset, and `close` is still to be called. */
  #detach(connection: Connection): Detached | null {
    try {
      return connection.detach();
    } catch (error) {
      if (this.broken && (error as { code?: string }).code === "ERR_CONNECTION_CLOSED") return null;
      throw error;
    }
  }

  peerSend(length: number): string {
    if (this.peer < 0 || this.fromPeer.ended) return "-";
    const n = send(this.peer, this.fromPeer.next(length));
    if (n > 0) this.fromPeer.sent += n;
    else this.#expectPeerError(n);
    return String(n);
  }

  /** @returns whether there may be more. */
  peerReceive(length: number): boolean {
    if (this.peer < 0) return false;
    const n = recv(this.peer, buffer, 0, length);
    if (n > 0) this.toPeer.receive(buffer.subarray(0, n), "the peer received");
    if (n < 0) this.#expectPeerError(n);
    const mayEnd = this.toPeer.ended || this.over || this.broken;
    if (n === 0 && !mayEnd) throw new Error("the peer received an end, and nothing was ended");
    return n > 0;
  }

  peerEnd(): void {
    if (this.peer < 0 || this.fromPeer.ended) return;
    shutdown(this.peer, "write");
    this.fromPeer.ended = true;
  }

  /** @param reset discards what is under way; a close with unread bytes does, too. */
  peerClose(reset: boolean): void {
    if (this.peer < 0) return;
    if (reset) setLinger(this.peer, 0);
    close(this.peer);
    this.peer = -1;
    this.fromPeer.ended = true;
    this.broken = true;
  }

  #called(connection: Connection, name: string, check: () => void): void {
    try {
      this.#check(connection, name);
      check();
    } catch (error) {
      if (error === THROWN) throw error;
      this.#failed(new Error(`${this.name}: ${(error as Error).message}`));
    }
  }

  #check(connection: Connection, name: string): void {
    const problem =
      connection !== this.connection
        ? "for another connection"
        : name !== "close" && this.closes > 0
          ? "after close"
          : name !== "close" && this.destroyed
            ? "after destroy()"
            : null;
    if (problem !== null) this.#failed(new Error(`${this.name}: ${name} ${problem}`));
  }

  #expectPeerError(n: number): void {
    const known = [-EAGAIN, -ECONNRESET, -EPIPE, -ENOTCONN].includes(n);
    const lost = n !== -EAGAIN && !this.over && !this.broken;
    if (!known || lost) throw new Error(`the peer got ${n}`);
  }

  #expect<T>(actual: T, expected: T, what: string): void {
    if (actual === expected) return;
    throw new Error(`${what} is ${String(actual)}; the model has ${String(expected)}`);
  }
}

/** What handlers of the fuzzer throw on purpose. */
export const THROWN = new Error("on purpose");
