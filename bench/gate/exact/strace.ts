// System calls per message of every thread, counted from outside. strace(1)

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RoundContext } from "../../run/round.ts";
import { quantile, sort } from "../../statistics/quantile.ts";
import { CannotCount, type Counted, exchange, type Slice } from "./traced-server.ts";

/** @throws {CannotCount} @throws {Interrupted} */
export async function countSystemCalls(counted: Counted, context: RoundContext): Promise<number> {
  const { argv, folder, messages, preload } = counted;
  const trace = join(folder, "trace");
  const loaded = preload === null ? [] : ["-E", `LD_PRELOAD=${preload}`];
  const tool = ["strace", "-f", "-ttt", "-qq", "-s", "0", "-e", "signal=none", "-o", trace];
  // A process whose tracer is killed lives on: the launcher has the server end with its parent.
  const launched = [context.host.paths.loadGenerator, "launch", "--", ...argv];
  const slices = await exchange([...tool, ...loaded, "--", ...launched], messages, context);
  const calls = callsPerMessage(readFileSync(trace, "latin1"), slices);
  // Each message is received and sent: with fewer calls it is the trace that is incomplete.
  if (calls < 2) throw new CannotCount(`strace: ${calls} calls per message in the trace`);
  return calls;
}

/**
 * The lower quartile over the slices: an engine that compiles or collects meanwhile makes calls of
 * its own, and a client that comes late costs a wait; neither happens in all of them. Pure.
 * @param trace lines as `strace -f -ttt -o` writes them: "PID SECONDS.MICROSECONDS call(…".
 */
export function callsPerMessage(trace: string, slices: readonly Slice[]): number {
  const begins = beginsOf(trace);
  const perMessage = slices.map(({ messages, fromMs, toMs }) => {
    const calls = begins.filter((atMs) => atMs >= fromMs && atMs < toMs);
    return calls.length / messages;
  });
  return quantile(sort(perMessage), 0.25);
}

/** When each call began, in milliseconds. */
function beginsOf(trace: string): number[] {
  // "<... recvfrom resumed>" ends a call that has its line already; "+++" and "---" are no calls.
  const begun = [...trace.matchAll(/^\d+ +(\d+\.\d+) [^<+\-\s]/gm)];
  return begun.map(([, seconds]) => Number(seconds) * 1000);
}
