// The connection handler that the TypeScript servers share, as native/echo_server/connection.cc is
// for the native ones: what is received is sent back; what cannot be sent is kept, reading stops,
// and write readiness resumes it.
// Enters: readiness. Leaves: what to wait for next.

import { EAGAIN, recv, send } from "../../../src/index.ts";
import { READ_BUFFER_BYTES } from "../settings.ts";
import type { Counters } from "./counters.ts";

/** What a connection waits for next. */
export const NEXT_READ = 0;
export const NEXT_WRITE = 1;
export const NEXT_CLOSE = 2;
export type Next = typeof NEXT_READ | typeof NEXT_WRITE | typeof NEXT_CLOSE;

/** One peer. Holds at most one read buffer's worth of unsent bytes. */
export interface Connection {
  readonly fd: number;
  unsent: Uint8Array | null;
}

export class EchoHandler {
  readonly #counters: Counters;
  readonly #buffer = new Uint8Array(READ_BUFFER_BYTES);

  constructor(counters: Counters) {
    this.#counters = counters;
  }

  /** Receives once and sends back what came. Also right where nothing is there. */
  onReadable(connection: Connection): Next {
    const counters = this.#counters;
    counters.recvCalls++;
    const received = recv(connection.fd, this.#buffer, 0, READ_BUFFER_BYTES);
    if (received === -EAGAIN) return NEXT_READ;
    if (received <= 0) return NEXT_CLOSE;
    counters.bytesReceived += received;
    const sent = this.#send(connection.fd, this.#buffer, received);
    if (sent === received) return NEXT_READ;
    if (sent < 0) return NEXT_CLOSE;
    connection.unsent = this.#buffer.slice(sent, received);
    return NEXT_WRITE;
  }

  /** Sends what was kept. */
  onWritable(connection: Connection): Next {
    const { unsent } = connection;
    if (unsent === null) return NEXT_READ;
    const sent = this.#send(connection.fd, unsent, unsent.length);
    if (sent < 0) return NEXT_CLOSE;
    connection.unsent = sent === unsent.length ? null : unsent.subarray(sent);
    return connection.unsent === null ? NEXT_READ : NEXT_WRITE;
  }

  /** @returns bytes taken, 0 where the peer's window is full, or -errno. */
  #send(fd: number, bytes: Uint8Array, length: number): number {
    this.#counters.sendCalls++;
    const sent = send(fd, bytes, 0, length);
    if (sent === -EAGAIN) return 0;
    if (sent > 0) this.#counters.bytesSent += sent;
    return sent;
  }
}
