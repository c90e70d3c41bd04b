// One case in this process, as micro-baseline does it natively: node measure.js --case NAME --ms N.
// Enters: its arguments. Leaves: one JSON line with the nanoseconds of each operation and how long
// this thread waited for a CPU; what went wrong on standard error, with exit code 1.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openCase } from "./operations.ts";
import { sample } from "./sample.ts";

const { values } = parseArgs({ options: { case: { type: "string" }, ms: { type: "string" } } });

try {
  const operations = openCase(values.case ?? "");
  const ns: Record<string, number> = {};
  const startedMs = performance.now();
  const waitedBefore = runQueueWaitNs();
  for (const [name, run] of operations) ns[name] = await sample(run, Number(values.ms));
  const elapsedNs = (performance.now() - startedMs) * 1e6;
  const waitedNs = runQueueWaitNs() - waitedBefore;
  const waited = Number.isFinite(waitedNs) ? waitedNs / elapsedNs : null;
  process.stdout.write(`${JSON.stringify({ ns, waited })}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** Of this thread, so far; NaN where the system does not tell. The second field, proc(5). */
function runQueueWaitNs(): number {
  try {
    return Number(readFileSync("/proc/self/schedstat", "utf8").split(" ")[1]);
  } catch {
    return Number.NaN;
  }
}
