// Prints what broadcast servers cost. Enters: options. Leaves: the cells as JSON lines.
//
//   npm run build && node dist/bench/delivery/broadcast/cli.js [--members 50] [--messages 200]

import { parseArgs } from "node:util";
import { measureBroadcast } from "./cells.ts";

const { values: options } = parseArgs({
  options: {
    members: { type: "string", default: "50" },
    messages: { type: "string", default: "200" },
    "gap-ms": { type: "string", default: "5" },
    payload: { type: "string", default: "64" },
    blocks: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
  },
});

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

const cells = await measureBroadcast({
  members: Number(options.members),
  messages: Number(options.messages),
  gapMs: Number(options["gap-ms"]),
  payloadBytes: Number(options.payload),
  blocks: Number(options.blocks),
  seed: Number(options.seed),
  signal: stop.signal,
  onProgress: (text) => console.error(text),
});
for (const { contender, connections, status, reason, metrics } of cells) {
  const figures = Object.entries(metrics).map(([name, { median, unit }]) => [
    name,
    `${median?.toPrecision(3)} ${unit}`,
  ]);
  const row = { contender, members: connections, status, reason, ...Object.fromEntries(figures) };
  console.log(JSON.stringify(row));
}
