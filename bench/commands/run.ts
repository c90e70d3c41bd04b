// run: measures what a profile says. The command where none is named.

import { machineRows } from "../agents/machines.ts";
import { type Given, whole } from "../command-line.ts";
import { requestOf, runRows } from "../run/options.ts";
import { makePlan } from "../run/plan.ts";
import { profiles } from "../run/profiles.ts";
import { type Command, openRow } from "./command.ts";
import { nameLines } from "./listing.ts";
import { measure } from "./measuring.ts";

const port = whole(1, 65_535);

export const runCommand: Command = {
  name: "run",
  summary: "measures what each server strategy costs; the command where none is named",
  operands: "",
  options: [
    ...runRows,
    { name: "live", value: "", help: "a page on 127.0.0.1 that shows it while it runs" },
    { name: "live-port", value: "N", help: "its port; any that is free unless told", read: port },
    openRow,
    ...machineRows,
    { name: "json", value: "", help: "results.json on standard output instead of the table" },
  ],
  examples: [
    ["npm run bench -- --profile default", "the five questions that a newcomer asks"],
    ["npm run bench -- --connections 100,1k,10k --contenders node:net", "beside the reference"],
  ],
  details: () => [
    "profiles:",
    ...nameLines(profiles),
    "workloads and contenders: npm run bench -- list",
  ],
  execute: async (given) => {
    const request = requestOf(given);
    const plan = makePlan(request);
    const livePort = livePortOf(given);
    // Whoever looks shares the CPUs: the results say that somebody could.
    const options = livePort === null ? plan.options : { ...plan.options, live: true };
    return await measure(
      { ...plan, options },
      { given, out: request.out, json: given.values["json"] === true, livePort },
    );
  },
};

/** 0 for any that is free; null where nobody wants to look. */
function livePortOf({ values }: Given): number | null {
  const told = values["live-port"] as number | null;
  return told ?? (values["live"] === true ? 0 : null);
}
