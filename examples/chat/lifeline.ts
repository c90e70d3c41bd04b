// How a worker notices that its parent has ended, even by kill -9: its standard input ends. A
// killed process cannot end its children, but the kernel closes its pipes in any case.

import { DefaultSelector, EAGAIN, EVENT_READ, read } from "../../src/index.ts";

/** Aborts once standard input ends, or on SIGINT or SIGTERM. */
export function stopWithParent(stop: AbortController): void {
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
  process.stdout.on("error", () => stop.abort()); // the parent no longer reads
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
