// Waiting for what will hold: a machine that stands still for seconds must not end a test.

import { vi } from "vitest";

/** Repeats the assertions until they hold. @throws {Error} theirs, after a minute */
export function eventually<T>(holds: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(holds, { timeout: 60_000, interval: 5 });
}
