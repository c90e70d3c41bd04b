// One write of 256 MiB to a peer that reads: node --expose-gc large-write.mjs WAY, where WAY is the
// engine as JSON. Prints what arrived and what it took, as one line of JSON.

import process from "node:process";
import { connect, serve } from "../../dist/src/index.js";

const BYTES = 2 ** 28;
/** A byte at each multiple of this differs from its neighbours, and from its predecessor. */
const STEP = 2 ** 20;
const PAGE = 4096;
const markAt = (at) => ((at / STEP) * 31 + 7) & 255;

const way = JSON.parse(process.argv[2] ?? "{}");
const rssMiB = () => Math.round(process.memoryUsage.rss() / STEP);

/** Every page is read: some kernels map one page of zeros for all of them, others give memory. */
function makeBytes() {
  const bytes = Buffer.alloc(BYTES);
  for (let at = 0; at < BYTES; at += PAGE) {
    if (bytes[at] !== 0) throw new Error("not zeroed");
  }
  for (let at = 0; at < BYTES; at += STEP) bytes[at] = markAt(at);
  return bytes;
}

const result = { accepted: true, queued: 0, received: 0, wrong: 0, closes: 0, error: "" };
const bytes = makeBytes();
const before = rssMiB();
let mostMiB = 0;

const server = serve(
  { ...way, port: 0 },
  {
    open(connection) {
      result.accepted = connection.write(bytes);
      result.queued = connection.bufferedBytes;
      mostMiB = rssMiB();
      connection.end();
    },
    data() {}, // without it the connection starts paused, and never sees the peer's end
    close(_connection, error) {
      result.closes++;
      result.error = error === null ? "" : error.message;
    },
  },
);

await new Promise((resolve, reject) => {
  connect(
    { ...way, port: server.address?.port ?? 0 },
    {
      data(_connection, part) {
        const first = Math.ceil(result.received / STEP) * STEP;
        for (let at = first; at < result.received + part.length; at += STEP) {
          if (part[at - result.received] !== markAt(at)) result.wrong++;
        }
        result.received += part.length;
      },
      close: resolve,
    },
  ).catch(reject);
});
await server.close();
globalThis.gc?.();
console.log(JSON.stringify({ ...result, mostMiB: mostMiB - before, leftMiB: rssMiB() - before }));
