// Two connected, non-blocking TCP sockets over loopback, and whatever else a test opens: closed at
// its end.

import {
  accept,
  close,
  connectTcp,
  EVENT_READ,
  EVENT_WRITE,
  listenTcp,
  localPort,
  PollSelector,
  send,
} from "../../src/index.ts";

export class Descriptors {
  readonly #open = new Set<number>();

  keep(fd: number): number {
    this.#open.add(fd);
    return fd;
  }

  close(fd: number): void {
    if (this.#open.delete(fd)) close(fd);
  }

  closeAll(): void {
    for (const fd of this.#open) close(fd);
    this.#open.clear();
  }

  listener(): number {
    return this.keep(listenTcp());
  }

  connectTo(listener: number): number {
    return this.keep(connectTcp({ port: localPort(listener) }));
  }

  /**
   * Opens pairs until one end has the number of a descriptor that was closed. @returns both ends,
   * that one first.
   */
  pairReusing(fd: number): [number, number] {
    for (let i = 0; i < 64; i++) {
      const [a, b] = this.pair();
      if (a === fd) return [a, b];
      if (b === fd) return [b, a];
    }
    throw new Error(`the number ${fd} was not given out again`);
  }

  /** Both ends of one connection. */
  pair(): [number, number] {
    const listener = listenTcp();
    const client = connectTcp({ port: localPort(listener) });
    waitFor(listener, EVENT_READ);
    const server = accept(listener);
    waitFor(client, EVENT_WRITE);
    close(listener);
    if (server < 0) throw new Error(`accept answered ${server}`);
    return [this.keep(client), this.keep(server)];
  }
}

/** Blocks until the descriptor is ready, five seconds at most. */
export function waitFor(fd: number, events: number): void {
  using selector = new PollSelector();
  selector.register(fd, events);
  if (selector.poll(5000) === 0) throw new Error(`fd ${fd} was not ready for ${events} in 5 s`);
}

/** Sends until the peer's window is full; @returns the bytes taken. */
export function fill(fd: number): number {
  const bytes = new Uint8Array(64 * 1024);
  let total = 0;
  for (let sent = send(fd, bytes); sent > 0; sent = send(fd, bytes)) total += sent;
  return total;
}
