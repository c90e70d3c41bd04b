// What a connection still has to be sent, bounded. Enters: lines. Leaves: bytes into a non-blocking
// socket, many lines a call. send(2)

import { EAGAIN, send } from "../../src/index.ts";

/** Sent with one call at most: what comes in small pieces goes out in large ones. */
const batch = new Uint8Array(64 * 1024);

export class Outbox {
  readonly #limitBytes: number;
  #lines: Uint8Array[] = [];
  /** The lines before this one have gone, and this many bytes of the first that has not. */
  #first = 0;
  #sentOfFirst = 0;
  #bytes = 0;

  /** @param limitBytes beyond which push refuses; an empty queue takes a line of any length. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns whether there was room. The line is not copied: leave it as it is. */
  push(line: Uint8Array): boolean {
    if (this.#bytes > 0 && this.#bytes + line.length > this.#limitBytes) return false;
    this.#lines.push(line);
    this.#bytes += line.length;
    return true;
  }

  /**
   * Sends until nothing waits or the socket takes no more.
   * @returns 0, or the -errno for which the connection is lost; a full socket is none.
   */
  flush(fd: number): number {
    while (this.#bytes > 0) {
      const length = this.#fill();
      const n = send(fd, batch, 0, length);
      if (n < 0) return n === -EAGAIN ? 0 : n;
      this.#forget(n);
      if (n < length) return 0;
    }
    return 0;
  }

  #fill(): number {
    let length = 0;
    let skip = this.#sentOfFirst;
    for (let i = this.#first; i < this.#lines.length && length < batch.length; i++) {
      const line = this.#lines[i] as Uint8Array;
      const part = line.subarray(skip, skip + batch.length - length);
      batch.set(part, length);
      length += part.length;
      skip = 0;
    }
    return length;
  }

  #forget(sent: number): void {
    this.#bytes -= sent;
    let left = sent;
    while (left > 0) {
      const rest = (this.#lines[this.#first] as Uint8Array).length - this.#sentOfFirst;
      if (left < rest) {
        this.#sentOfFirst += left;
        break;
      }
      left -= rest;
      this.#sentOfFirst = 0;
      this.#first++;
    }
    // Not shift(), which moves all the others each time.
    if (this.#first === this.#lines.length) {
      this.#lines = [];
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#lines.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
