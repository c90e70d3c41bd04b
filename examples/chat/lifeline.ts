// How a worker learns that whoever started it has gone, by kill -9, too: its standard input, on
// which nothing ever comes, ends. A process that is killed cannot end its children; the kernel
// closes its pipes in any case. Enters: a way to stop. Leaves: that it is called.

import { DefaultSelector, EAGAIN, EVENT_READ, read } from "../../src/index.ts";

/** Aborts once standard input ends, or on SIGINT or SIGTERM. */
export function stopWithParent(stop: AbortController): void {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
  process.stdout.on("error", () => stop.abort()); // nobody hears what we say
  void watchInput(stop);
}

async function watchInput(stop: AbortController): Promise<void> {
  const selector = new DefaultSelector();
  selector.register(0, EVENT_READ);
  stop.signal.addEventListener("abort", () => selector.close());
  for await (const ready of selector) {
    if (ready.length > 0 && read(0, new Uint8Array(64)) !== -EAGAIN) stop.abort();
  }
}
