// list: what there is to run.

import { contenders, reference } from "../contenders/catalogue.ts";
import { families } from "../contenders/families.ts";
import { defaultProfile, profiles } from "../run/profiles.ts";
import { type Command, print } from "./command.ts";
import {
  familyLines,
  familyOf,
  installed,
  listLines,
  missingRows,
  workloadLines,
} from "./listing.ts";

export const listCommand: Command = {
  name: "list",
  summary: "the profiles, workloads and contenders that there are",
  operands: "",
  options: [{ name: "json", value: "", help: "as JSON" }],
  examples: [["npm run bench -- list --json", "for a script"]],
  execute: async ({ values }) => print(values["json"] === true ? asJson() : asText()),
};

function asText(): string {
  return [
    `profiles (${defaultProfile} unless told):`,
    ...listLines(profiles),
    "",
    "workloads:",
    ...workloadLines(),
    "",
    `contenders (${reference} is the reference):`,
    ...listLines(contenders),
    ...familyLines(),
  ].join("\n");
}

function asJson(): string {
  return JSON.stringify(
    {
      profiles: profiles.map(({ name, summary }) => ({ name, summary })),
      workloads: installed().map(({ name, answers }) => ({ name, answers })),
      contenders: contenders.map(({ name, summary, platforms }) => ({ name, summary, platforms })),
      families: Object.keys(families)
        .map((workload) => ({ workload, rows: familyOf(workload) ?? [] }))
        .filter(({ rows }) => rows.length > 0)
        .map(({ workload, rows }) => ({
          workload,
          contenders: rows.map(({ name, summary, platforms }) => ({ name, summary, platforms })),
        })),
      missing: missingRows(),
      reference,
    },
    null,
    2,
  );
}
