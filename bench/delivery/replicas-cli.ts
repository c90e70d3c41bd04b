// Prints what the replicated store does by number of readers, with a bound of staleness and
// without. Enters: options. Leaves: the cells as JSON lines.
//
//   npm run build && node dist/bench/delivery/replicas-cli.js [--seconds 2] [--blocks 3]

import { parseArgs } from "node:util";
import { measureReplicas } from "./replicas.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    blocks: { type: "string", default: "3" },
    keys: { type: "string", default: "1000" },
    "in-flight": { type: "string", default: "16" },
    "writes-per-second": { type: "string", default: "20" },
    "stale-ms": { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
  },
});

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

const staleMs = Number(options["stale-ms"]);
const cells = await measureReplicas({
  scales: [...[1, 2, 4].map((readers) => ({ readers, staleMs })), { readers: 1, staleMs: null }],
  seconds: Number(options.seconds),
  blocks: Number(options.blocks),
  keys: Number(options.keys),
  inFlight: Number(options["in-flight"]),
  writesPerSecond: Number(options["writes-per-second"]),
  seed: Number(options.seed),
  signal: stop.signal,
  onProgress: (text) => console.error(text),
});
for (const { contender, status, reason, metrics } of cells) {
  const figures = Object.entries(metrics).map(([name, { median, unit }]) => [
    name,
    `${median?.toPrecision(3)} ${unit}`,
  ]);
  console.log(JSON.stringify({ contender, status, reason, ...Object.fromEntries(figures) }));
}
