// Prints the lines that are written into any number of FIFOs, each as a stream, without a thread
// per FIFO. node:fs would occupy one of the four threads of Node's pool for each. fifo(7)
//
//   npm run build && node dist/examples/10-many-fifos.js /tmp/one /tmp/two
//   echo hello > /tmp/two                              # in another terminal

import { setMaxListeners } from "node:events";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { makeFifo, openFifo, toReadable } from "../src/index.ts";

const paths = process.argv.slice(2);
if (paths.length === 0) throw new Error("usage: 10-many-fifos.js PATH …");

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

setMaxListeners(0, stop.signal); // a listener per FIFO

function open(path: string): { name: string; input: Readable } {
  if (!existsSync(path)) makeFifo(path);
  const input = toReadable(openFifo(path, "read"));
  openFifo(path, "write"); // without it the FIFO ends when its last writer closes
  return { name: basename(path), input };
}

async function follow({ name, input }: { name: string; input: Readable }): Promise<void> {
  const lines = createInterface({ input, signal: stop.signal });
  for await (const line of lines) console.log(`${name}: ${line}`);
  input.destroy();
}

const fifos = paths.map(open);
console.log(`following ${paths.length}`);
await Promise.all(fifos.map(follow));
