// The listener: lets connections in, and waits where no descriptor is left. Enters: a host and a
// port. Leaves: accepted descriptors. accept4(2)

import { getSystemErrorName } from "node:util";
import { accept, close, EAGAIN, EVENT_READ, listenTcp, type Reactor } from "../../src/index.ts";

/** More in one turn would keep those who are inside waiting. */
const ACCEPTS_A_TURN = 64;
const PAUSE_MS = 100;

export interface DoorOptions {
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Several processes listen on the port, and the kernel deals the connections out. */
  readonly shared: boolean;
}

/**
 * Listens, and hands over what it accepts.
 * @returns the listener, registered; removing its handler closes it.
 * @throws {Error} in Node's form: `EADDRINUSE`.
 */
export function openDoor(
  reactor: Reactor,
  { host, port, shared }: DoorOptions,
  onAccept: (fd: number) => void,
): number {
  const listener = listenTcp({ host, port, reusePort: shared });
  const pause = (refused: number) => {
    // EMFILE and its kin: the listener stays readable, and would keep us busy meanwhile.
    console.error(`chat: accept: ${getSystemErrorName(refused)}; again in ${PAUSE_MS} ms`);
    reactor.suspend(listener);
    reactor.setTimer(PAUSE_MS, () => reactor.resume(listener));
  };
  reactor.registerHandler(listener, EVENT_READ, {
    onReadable() {
      for (let i = 0; i < ACCEPTS_A_TURN; i++) {
        const fd = accept(listener);
        if (fd === -EAGAIN) return;
        if (fd < 0) return pause(fd);
        onAccept(fd);
      }
    },
    onClose: (fd) => void close(fd),
  });
  return listener;
}
