// Serves connections in another process: this one accepts, and hands each connection over as a
// descriptor, with its number. SIGTERM ends both, after all of them are served. SCM_RIGHTS, unix(7)
//
//   npm run build && node dist/examples/15-pass-connections.js   # prints its port for telnet

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { getSystemErrorName } from "node:util";
import * as io from "../src/index.ts";

const PARENT = 3; // where the child finds its end of the socket pair
await (process.argv[2] === "child" ? serve() : accept());

async function accept(): Promise<void> {
  const listener = io.listenTcp();
  const [ours, theirs] = io.socketPair();
  const args = [fileURLToPath(import.meta.url), "child"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", theirs] });
  io.close(theirs);
  const signals = io.openSignals(["SIGTERM", "SIGINT"]);
  const selector = new io.DefaultSelector();
  const ended = once(child, "exit").then(() => selector.close()); // ends the loop below, too
  for (const fd of [listener, signals]) selector.register(fd, io.EVENT_READ);
  console.log(`accepting on port ${io.localPort(listener)}`);
  let accepted = 0;
  for await (const ready of selector) {
    if (ready.some(({ key }) => key.fd === signals)) break;
    let fd = io.accept(listener);
    for (; fd >= 0; fd = io.accept(listener)) {
      // Each send is one message in the stream: it is short, and goes out whole or not at all.
      const n = io.sendDescriptor(ours, fd, Buffer.from(`connection ${++accepted}\n`));
      if (n < 0) console.log(`not handed over: ${getSystemErrorName(n)}`); // EAGAIN: queue full
      io.close(fd); // the child has its own
    }
    if (fd !== -io.EAGAIN) await delay(100); // no descriptor is left: the listener stays ready
  }
  selector.close();
  for (const fd of [ours, listener, signals]) io.close(fd); // the child reads an end of file
  await ended;
}

function serve(): void {
  const bytes = Buffer.alloc(256);
  const descriptors = new Int32Array(1);
  using selector = new io.DefaultSelector();
  selector.register(PARENT, io.EVENT_READ);
  io.openSignals(["SIGTERM", "SIGINT"]); // ignored here: the parent handles them
  for (;;) {
    if (selector.select().length === 0) continue;
    const n = io.receiveDescriptor(PARENT, descriptors, bytes);
    if (n === 0) break;
    const [fd = -1] = descriptors;
    if (n < 0 || fd < 0) throw new Error(`receive: ${n < 0 ? getSystemErrorName(n) : "nothing"}`);
    io.send(fd, Buffer.from(`${process.pid} greets ${bytes.toString("latin1", 0, n)}`));
    io.close(fd);
  }
}
