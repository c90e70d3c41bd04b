// A client that connects with a deadline, sends a line and prints the answer. If it cannot connect,
// it tries again after a growing, randomised pause.
//
//   npm run build && node dist/examples/12-client-with-back-off.js 127.0.0.1:7000 get colour

import { setTimeout as delay } from "node:timers/promises";
import { type Connection, connect } from "../src/index.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
const [address = "", ...words] = process.argv.slice(2);
const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
if (host === undefined || words.length === 0) {
  throw new Error("usage: 12-client-with-back-off.js HOST:PORT WORD …");
}
const stop = new AbortController();
const target = { host, port: Number(port), timeoutMs: 2000, signal: stop.signal };
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

async function connectAgain(pauseMs: number): Promise<Connection> {
  try {
    return await connect(target);
  } catch (error) {
    if (stop.signal.aborted) throw error;
    console.error(`${(error as Error).message}; again in at most ${pauseMs} ms`);
    await delay(pauseMs * Math.random(), undefined, { signal: stop.signal });
    return connectAgain(Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
  }
}

try {
  const connection = await connectAgain(FIRST_PAUSE_MS);
  stop.signal.addEventListener("abort", () => connection.destroy(stop.signal.reason));
  connection.end(`${words.join(" ")}\n`);
  for await (const bytes of connection) process.stdout.write(bytes);
} catch (error) {
  if (!stop.signal.aborted) throw error;
  process.exitCode = 130;
}
