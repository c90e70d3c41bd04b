// Prints what other programs write into a FIFO. Node's event loop continues, and no thread of its
// pool is used. fifo(7)
//
//   npm run build && node dist/examples/01-watch-a-fifo.js /tmp/my-fifo
//   echo hello > /tmp/my-fifo                          # in another terminal, as often as you like

import { existsSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import {
  close,
  DefaultSelector,
  EAGAIN,
  EVENT_READ,
  makeFifo,
  openFifo,
  read,
} from "../src/index.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("usage: 01-watch-a-fifo.js PATH");
if (!existsSync(path)) makeFifo(path);

const reader = openFifo(path, "read");
// Once all writers have closed a FIFO, it stays readable and read() returns 0, the end. A writer in
// this program keeps it open.
const writer = openFifo(path, "write");

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

const selector = new DefaultSelector<string>();
selector.register(reader, EVENT_READ, path);
// Closing a selector ends the loop below. For a single wait there is wait({ signal }).
stop.signal.addEventListener("abort", () => selector.close());

console.error(`watching ${path}`);
const buffer = new Uint8Array(4096);
for await (const ready of selector) {
  for (const { key } of ready) {
    const n = read(key.fd, buffer);
    if (n === -EAGAIN) continue; // another reader was faster
    if (n < 0) throw new Error(`read ${key.data}: ${getSystemErrorName(n)}`);
    process.stdout.write(buffer.slice(0, n)); // a copy: stdout may take its time
  }
}

for (const fd of [reader, writer]) {
  const refused = close(fd);
  if (refused < 0) throw new Error(`close: ${getSystemErrorName(refused)}`);
}
