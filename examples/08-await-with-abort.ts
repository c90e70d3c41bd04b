// Follows several FIFOs with for await until Ctrl-C, or until a time has passed; one AbortSignal
// covers both. fifo(7)
//
//   npm run build && node dist/examples/08-await-with-abort.js 60 /tmp/one /tmp/two
//   echo hello > /tmp/two                              # in another terminal

import { existsSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import * as io from "../src/index.ts";

const [seconds = "", ...paths] = process.argv.slice(2);
if (!(Number(seconds) > 0) || paths.length === 0) {
  throw new Error("usage: 08-await-with-abort.js SECONDS PATH …");
}

/** Batches of what is ready; ends without an error when the signal is aborted. */
async function* readyUntil<T>(selector: io.Selector<T>, signal: AbortSignal) {
  try {
    for (;;) yield await selector.wait({ signal });
  } catch (error) {
    if (error !== signal.reason) throw error;
  }
}

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));
const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(Number(seconds) * 1000)]);

const selector = new io.DefaultSelector<string>();
const writers: number[] = [];
for (const path of paths) {
  if (!existsSync(path)) io.makeFifo(path);
  selector.register(io.openFifo(path, "read"), io.EVENT_READ, path);
  writers.push(io.openFifo(path, "write")); // without it the FIFO ends when its last writer closes
}

console.log(`following ${paths.length}`);
const buffer = Buffer.alloc(4096);
for await (const ready of readyUntil(selector, signal)) {
  for (const { key } of ready) {
    const n = io.read(key.fd, buffer);
    if (n === -io.EAGAIN) continue; // another reader was faster
    if (n < 0) throw new Error(`read ${key.data}: ${getSystemErrorName(n)}`);
    console.log(`${key.data}: ${buffer.toString("utf8", 0, n).trimEnd()}`);
  }
}
console.log(`ended: ${signal.reason.message}`);
const readers = [...(selector.getMap() ?? [])];
selector.close();
for (const fd of [...readers, ...writers]) io.close(fd);
