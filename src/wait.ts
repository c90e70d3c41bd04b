// A wait on Node's event loop: it looks, and if nothing is ready sleeps until the selector's watch,
// the deadline or the caller's signal ends the sleep, then looks again.

import { toNativeTimeout } from "./arguments.ts";
import { native, systemError } from "./native.ts";
import type { WaitOptions } from "./selector.ts";

/** What a Node timer takes at most; longer waits look once in between. */
const LONGEST_TIMER_MS = 0x7fffffff;

/**
 * @param look returns null if nothing is ready, and throws if the selector has been closed.
 * @returns what `look` returned; null once the time is up.
 */
export async function waitBeside<R>(
  id: number,
  look: () => R | null,
  options: WaitOptions,
): Promise<R | null> {
  const { signal } = options;
  signal?.throwIfAborted();
  const timeoutMs = toNativeTimeout(options.timeoutMs);
  const deadlineMs = timeoutMs < 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  for (;;) {
    const found = look();
    const leftMs = deadlineMs - performance.now();
    if (found !== null || leftMs <= 0) return found;
    await sleep(id, leftMs, signal);
    signal?.throwIfAborted();
  }
}

async function sleep(id: number, leftMs: number, signal: AbortSignal | undefined): Promise<void> {
  const watched = native.watch(id);
  if (typeof watched === "number") throw systemError(watched, "cannot wait on Node's loop");
  // Ends every wait of this selector; those with time left look and sleep again.
  const cancel = () => native.cancelWatch(id);
  const timer = Number.isFinite(leftMs)
    ? setTimeout(cancel, Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS))
    : undefined;
  timer?.unref(); // the watch keeps the process alive, or does not: ref() and unref()
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    await watched;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  }
}
