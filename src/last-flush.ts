// The last flush: the end of a thread begins no turn, which would send what was written before it.

import { native } from "./native.ts";

let engines = 0;

/** At the end of this thread the engine takes its submissions. @param id the highest so far */
export function flushAtExit(id: number): void {
  if (engines === 0) process.on("exit", flushAll);
  engines = id + 1;
}

/** An engine that was destroyed is left out. */
function flushAll(): void {
  for (let id = 0; id < engines; id++) native.engineFlush(id);
}
