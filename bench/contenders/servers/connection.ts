// The connection handler of the TypeScript servers, as native/echo_server/connection.cc is that of
// the native ones. It sends back the bytes that it receives. If a peer does not take them, it keeps
// them, stops reading, and continues when the socket is writable.

import { EAGAIN, recv, send } from "../../../src/index.ts";
import { READ_BUFFER_BYTES } from "../settings.ts";
import { type Blocking, BlockingMessages, block } from "./blocking.ts";
import type { CallCounters } from "./counters.ts";

/** What a connection waits for next. */
export const NEXT_READ = 0;
export const NEXT_WRITE = 1;
export const NEXT_CLOSE = 2;
export type Next = typeof NEXT_READ | typeof NEXT_WRITE | typeof NEXT_CLOSE;

/** One for all connections: an object for each would be a cache miss for each message. */
export class EchoHandler {
  readonly #counters: CallCounters;
  readonly #buffer = new Uint8Array(READ_BUFFER_BYTES);
  /** By descriptor; never empty. */
  readonly #unsent = new Map<number, Uint8Array>();

  readonly #blocking: Blocking | null;
  /** By descriptor; empty if no message blocks. */
  readonly #messages = new Map<number, BlockingMessages>();

  constructor(counters: CallCounters, blocking: Blocking | null) {
    this.#counters = counters;
    this.#blocking = blocking;
  }

  /** Whether bytes are kept for that connection: then it waits to write, and must not read. */
  isBlocked(fd: number): boolean {
    return this.#unsent.size > 0 && this.#unsent.has(fd);
  }

  /** Receives once and sends back what came. Also right if nothing is there. */
  onReadable(fd: number): Next {
    const counters = this.#counters;
    counters.recvCalls++;
    const received = recv(fd, this.#buffer);
    if (received === -EAGAIN) {
      counters.vainLooks++;
      return NEXT_READ;
    }
    if (received <= 0) return NEXT_CLOSE;
    counters.bytesReceived += received;
    if (this.#blocking !== null) this.#block(this.#blocking, fd, received);
    const sent = this.#send(fd, this.#buffer, received);
    if (sent === received) return NEXT_READ;
    if (sent < 0) return NEXT_CLOSE;
    this.#unsent.set(fd, this.#buffer.slice(sent, received));
    return NEXT_WRITE;
  }

  /** Sends what was kept. */
  onWritable(fd: number): Next {
    const unsent = this.#unsent.get(fd);
    if (unsent === undefined) return NEXT_READ;
    const sent = this.#send(fd, unsent, unsent.length);
    if (sent < 0) return NEXT_CLOSE;
    if (sent < unsent.length) {
      this.#unsent.set(fd, unsent.subarray(sent));
      return NEXT_WRITE;
    }
    this.#unsent.delete(fd);
    return NEXT_READ;
  }

  /** The connection is closed: its number may be another's soon. */
  forget(fd: number): void {
    this.#unsent.delete(fd);
    this.#messages.delete(fd);
  }

  #block(blocking: Blocking, fd: number, received: number): void {
    let messages = this.#messages.get(fd);
    if (messages === undefined) {
      messages = new BlockingMessages(blocking);
      this.#messages.set(fd, messages);
    }
    block(blocking.ms * messages.countIn(this.#buffer, received));
  }

  /** @returns bytes taken, 0 if the peer's window is full, or -errno. */
  #send(fd: number, bytes: Uint8Array, length: number): number {
    this.#counters.sendCalls++;
    const sent = send(fd, bytes, 0, length);
    if (sent === -EAGAIN) {
      this.#counters.vainLooks++;
      return 0;
    }
    if (sent > 0) this.#counters.bytesSent += sent;
    return sent;
  }
}
