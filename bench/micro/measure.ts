// One case in this process, as micro-baseline does it natively: node measure.js --case NAME --ms N.

import { parseArgs } from "node:util";
import { ownWaitNs } from "../host/usage.ts";
import { openCase } from "./operations.ts";
import { sample } from "./sample.ts";

const { values } = parseArgs({ options: { case: { type: "string" }, ms: { type: "string" } } });

try {
  const operations = openCase(values.case ?? "");
  const ns: Record<string, number> = {};
  const startedMs = performance.now();
  const waitedBefore = ownWaitNs();
  for (const [name, run] of operations) ns[name] = sample(run, Number(values.ms));
  const elapsedNs = (performance.now() - startedMs) * 1e6;
  const waitedAfter = ownWaitNs();
  const known = waitedBefore !== null && waitedAfter !== null;
  const waited = known ? (waitedAfter - waitedBefore) / elapsedNs : null;
  process.stdout.write(`${JSON.stringify({ ns, waited })}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
