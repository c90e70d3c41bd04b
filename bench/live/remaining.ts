// What is left of a run, in words, for the terminal and the live page.

import { clock } from "../report/format.ts";
import type { Remaining } from "../run/pace.ts";

/** "about 1:05 left"; "at least 1:05 left"; "time left unknown". */
export function remainingText({ seconds, atLeast }: Remaining): string {
  if (seconds === null) return "time left unknown";
  return `${atLeast ? "at least" : "about"} ${clock(seconds)} left`;
}
