// A TCP server that sends back what it receives, on the Reactor. Enters: a port, or none for any.
// Leaves: every byte to where it came from, until Ctrl-C.
//
//   npm run build && node dist/examples/02-echo-server.js 7000        # and: nc 127.0.0.1 7000

import { getSystemErrorName } from "node:util";
import * as io from "../src/index.ts";

const reactor = new io.Reactor(new io.DefaultSelector());
const listener = io.listenTcp({ port: Number(process.argv[2] ?? 0) });
const buffer = new Uint8Array(16 * 1024); // for all: what is not sent at once is copied

class Echo implements io.EventHandler {
  #unsent = new Uint8Array(0);
  onReadable(fd: number): void {
    const n = io.recv(fd, buffer);
    if (n > 0) this.#send(fd, buffer.subarray(0, n));
    else if (n !== -io.EAGAIN) reactor.removeHandler(fd); // 0: it has finished; else it broke off
  }
  onWritable(fd: number): void {
    this.#send(fd, this.#unsent);
  }
  onClose(fd: number): void {
    const refused = io.close(fd);
    if (refused < 0) throw new Error(`close: ${getSystemErrorName(refused)}`);
  }
  #send(fd: number, bytes: Uint8Array): void {
    const n = io.send(fd, bytes);
    const unsent = bytes.slice(Math.max(n, 0));
    // A peer that does not read is not read from, either: it could make us keep any amount.
    if (n < 0 && n !== -io.EAGAIN) reactor.removeHandler(fd);
    else if (unsent.length > 0) reactor.modify(fd, io.EVENT_WRITE);
    else if (this.#unsent.length > 0) reactor.modify(fd, io.EVENT_READ);
    this.#unsent = unsent;
  }
}

reactor.registerHandler(listener, io.EVENT_READ, {
  onReadable() {
    for (let i = 0; i < 64; i++) {
      const fd = io.accept(listener);
      if (fd === -io.EAGAIN) return; // that was the last one
      if (fd < 0) return pause(fd);
      reactor.registerHandler(fd, io.EVENT_READ, new Echo());
    }
  },
});

/** EMFILE and its kin: the listener stays readable, and would keep us busy meanwhile. */
function pause(refused: number): void {
  console.error(`accept: ${getSystemErrorName(refused)}; again in 100 ms`);
  reactor.suspend(listener);
  reactor.setTimer(100, () => reactor.resume(listener));
}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
console.log(`echo on port ${io.localPort(listener)}`);
await reactor.run({ signal: stop.signal });
