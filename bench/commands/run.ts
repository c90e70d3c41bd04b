// run: measures what a profile says. The command where none is named.

import { contenders, reference } from "../contenders/catalogue.ts";
import { requestOf, runRows } from "../options.ts";
import { makePlan } from "../plan.ts";
import { defaultProfile, profiles } from "../profiles.ts";
import { workloads } from "../workloads/catalogue.ts";
import type { Command } from "./command.ts";
import { listLines } from "./list.ts";
import { measure } from "./measuring.ts";

export const runCommand: Command = {
  name: "run",
  summary: "measures what each server strategy costs; the command where none is named",
  operands: "",
  options: [
    ...runRows,
    { name: "json", value: "", help: "results.json on standard output instead of the table" },
  ],
  examples: [
    ["npm run bench", `the ${defaultProfile} profile`],
    ["npm run bench -- --profile default", "the five questions that a newcomer asks"],
    ["npm run bench -- --contenders ts:reactor-epoll,node:net", "these two, and the reference"],
    ["npm run bench -- --connections 100,1000,10000 --rate 5000", "a cell each"],
  ],
  details: () => [
    `profiles (${defaultProfile} unless told):`,
    ...listLines(profiles),
    "",
    "workloads:",
    ...listLines(workloads.map(({ name, answers }) => ({ name, summary: answers }))),
    "",
    `contenders (${reference} is the reference, and always runs):`,
    ...listLines(contenders),
  ],
  execute: async (given) => {
    const request = requestOf(given);
    return await measure(makePlan(request), {
      out: request.out,
      json: given.values["json"] === true,
    });
  },
};
