// Prints the delivery table: every way and every column. Enters: options. Leaves: the table, or the
// cells as JSON.
//
//   npm run build && node dist/bench/delivery/cli.js [--processes 8] [--events 100] [--blocks 3]

import { parseArgs } from "node:util";
import { measureDelivery } from "./cells.ts";
import { tableOf } from "./table.ts";
import { wayNamed } from "./ways.ts";

const { values: options } = parseArgs({
  options: {
    ways: { type: "string" },
    processes: { type: "string", default: "8" },
    events: { type: "string", default: "100" },
    "gap-ms": { type: "string", default: "5" },
    blocks: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    "event-types": { type: "string", default: "10000" },
    json: { type: "boolean", default: false },
  },
});

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

const cells = await measureDelivery({
  ...(options.ways === undefined ? {} : { ways: options.ways.split(",").map(wayNamed) }),
  processes: Number(options.processes),
  events: Number(options.events),
  gapMs: Number(options["gap-ms"]),
  blocks: Number(options.blocks),
  seed: Number(options.seed),
  eventTypes: Number(options["event-types"]),
  signal: stop.signal,
  onProgress: (text) => console.error(text),
});
console.log(options.json ? JSON.stringify(cells) : tableOf(cells));
