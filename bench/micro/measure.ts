// One case in this process, as micro-baseline does it natively: node measure.js --case NAME --ms N.
// Enters: its arguments. Leaves: one JSON line with the nanoseconds of each operation; what went
// wrong on standard error, with exit code 1.

import { parseArgs } from "node:util";
import { openCase } from "./operations.ts";
import { sample } from "./sample.ts";

const { values } = parseArgs({ options: { case: { type: "string" }, ms: { type: "string" } } });

try {
  const { case: name = "" } = values;
  const ns: Record<string, number> = {};
  for (const [operation, run] of openCase(name))
    ns[operation] = await sample(run, Number(values.ms));
  process.stdout.write(`${JSON.stringify({ case: name, ns })}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
