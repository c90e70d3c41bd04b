// One worker of the arbiter, of the kind it was started as. Enters: its kind and its settings as
// arguments; on standard input nothing, whose end says that the arbiter has gone, however it went.
// Leaves: events as JSON lines on standard output.

import { DefaultSelector, EAGAIN, EVENT_READ, read } from "../../src/index.ts";
import type { Announce } from "./announce.ts";
import { runBroadcaster } from "./broadcaster.ts";
import { runGateway } from "./gateway.ts";

const kinds = { broadcaster: runBroadcaster, gateway: runGateway };

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
process.stdout.on("error", () => stop.abort()); // the arbiter has gone
void endWithArbiter();

const [kind = "", settings = "{}"] = process.argv.slice(2);
if (!Object.hasOwn(kinds, kind)) throw new Error(`${kind} is none of ${Object.keys(kinds)}`);
await kinds[kind as keyof typeof kinds](JSON.parse(settings), announce, stop.signal);
stop.abort();

function announce(event: Parameters<Announce>[0]): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** A process that was killed cannot end its children; the kernel closes its pipes in any case. */
async function endWithArbiter(): Promise<void> {
  const selector = new DefaultSelector();
  selector.register(0, EVENT_READ);
  stop.signal.addEventListener("abort", () => selector.close());
  for await (const ready of selector) {
    if (ready.length > 0 && read(0, new Uint8Array(64)) !== -EAGAIN) stop.abort();
  }
}
