// One write of 256 MiB to a peer that reads: node --expose-gc large-write.mjs WAY, where WAY is the
// engine as JSON. Prints what arrived and what it took, as one line of JSON.

import process from "node:process";
import { connect, serve } from "../../dist/src/index.js";

const BYTES = 2 ** 28;
/** A byte at each multiple of this differs from its neighbours, and from its predecessor. */
const STEP = 2 ** 20;
const markAt = (at) => ((at / STEP) * 31 + 7) & 255;

const way = JSON.parse(process.argv[2] ?? "{}");
const rssMiB = () => Math.round(process.memoryUsage.rss() / STEP);

function makeBytes() {
  const bytes = Buffer.alloc(BYTES); // pages that nothing writes to take no memory
  for (let at = 0; at < BYTES; at += STEP) bytes[at] = markAt(at);
  return bytes;
}

const result = { accepted: true, queued: 0, received: 0, wrong: 0, closes: 0, error: "" };
const before = rssMiB();
let mostMiB = 0;

const server = serve(
  { ...way, port: 0 },
  {
    open(connection) {
      result.accepted = connection.write(makeBytes());
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
      data(_connection, bytes) {
        const first = Math.ceil(result.received / STEP) * STEP;
        for (let at = first; at < result.received + bytes.length; at += STEP) {
          if (bytes[at - result.received] !== markAt(at)) result.wrong++;
        }
        result.received += bytes.length;
      },
      close: resolve,
    },
  ).catch(reject);
});
await server.close();
globalThis.gc?.();
console.log(JSON.stringify({ ...result, mostMiB: mostMiB - before, leftMiB: rssMiB() - before }));
