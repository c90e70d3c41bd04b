// Compresses what other programs write into a FIFO, until the last of them closes it. The FIFO is a
// stream of a pipeline and uses no thread of Node's pool. fifo(7)
//
//   npm run build && node dist/examples/14-compress-a-fifo.js /tmp/a-fifo /tmp/out.gz
//   seq 1000000 > /tmp/a-fifo                          # in another terminal

import { createWriteStream, existsSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { makeFifo, openFifo, toReadable } from "../src/index.ts";

const [path, output] = process.argv.slice(2);
if (path === undefined || output === undefined) {
  throw new Error("usage: 14-compress-a-fifo.js FIFO OUTPUT");
}
if (!existsSync(path)) makeFifo(path);
console.log(`reading ${path}`);
await pipeline(toReadable(openFifo(path, "read")), createGzip(), createWriteStream(output));
