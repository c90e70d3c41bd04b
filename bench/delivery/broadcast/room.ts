// What a broadcast server is: whatever one connection sends goes to all, in order.

import * as io from "../../../src/index.ts";

export interface BroadcastServer {
  /** `runtime:strategy`. */
  readonly name: string;
  /** Listens on loopback. @returns the port. */
  start(): number | Promise<number>;
}

/** Accepts members for as long as the process lives. @returns the port. */
export function listenForMembers(reactor: io.Reactor, join: (fd: number) => void): number {
  const listener = io.listenTcp();
  reactor.registerHandler(listener, io.EVENT_READ, {
    onReadable() {
      for (let fd = io.accept(listener); fd >= 0; fd = io.accept(listener)) join(fd);
    },
  });
  void reactor.run();
  return io.localPort(listener);
}
