// run: measures what a profile declares. It is the command if none is named.

import { machineRows } from "../agents/machines.ts";
import { flag } from "../command-line.ts";
import { requestOf, runRows } from "../run/options.ts";
import { makePlan, refuseUnused } from "../run/plan.ts";
import { profiles } from "../run/profiles.ts";
import { type Command, openRow } from "./command.ts";
import { nameLines } from "./listing.ts";
import { liveRows } from "./live-options.ts";
import { measure } from "./measuring.ts";
import { passRows } from "./passes.ts";

export const runCommand: Command = {
  name: "run",
  summary: "measures what each server strategy costs; the default command",
  operands: "",
  options: [
    ...runRows,
    ...liveRows,
    openRow,
    ...passRows,
    ...machineRows,
    flag("json", "results.json on standard output instead of the table"),
  ],
  examples: [
    ["npm run bench -- --profile default", "the questions that a newcomer asks"],
    ["npm run bench -- --connections 100,1k,10k --contenders node:net", "and the reference"],
  ],
  details: () => [
    "profiles:",
    ...nameLines(profiles),
    "workloads and contenders: npm run bench -- list",
  ],
  execute: async (given) => {
    const request = requestOf(given);
    const plan = makePlan(request);
    refuseUnused(plan, request);
    return await measure(plan, { given });
  },
};
