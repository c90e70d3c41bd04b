// list: what there is to run.

import { contenders, reference } from "../contenders/catalogue.ts";
import { defaultProfile, profiles } from "../profiles.ts";
import { workloads } from "../workloads/catalogue.ts";
import { type Command, print } from "./command.ts";

export const listCommand: Command = {
  name: "list",
  summary: "the profiles, workloads and contenders that there are",
  operands: "",
  options: [{ name: "json", value: "", help: "as JSON" }],
  examples: [["npm run bench -- list --json", "for a script"]],
  execute: async ({ values }) => print(values["json"] === true ? asJson() : asText()),
};

/** Names and what they mean, a line each. */
export function listLines(rows: readonly { name: string; summary: string }[]): string[] {
  const width = Math.max(...rows.map(({ name }) => name.length)) + 2;
  return rows.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
}

function asText(): string {
  return [
    `profiles (${defaultProfile} unless told):`,
    ...listLines(profiles),
    "",
    "workloads:",
    ...listLines(workloads.map(({ name, answers }) => ({ name, summary: answers }))),
    "",
    `contenders (${reference} is the reference):`,
    ...listLines(contenders),
  ].join("\n");
}

function asJson(): string {
  return JSON.stringify(
    {
      profiles: profiles.map(({ name, summary }) => ({ name, summary })),
      workloads: workloads.map(({ name, answers }) => ({ name, answers })),
      contenders: contenders.map(({ name, summary, platforms }) => ({ name, summary, platforms })),
      reference,
    },
    null,
    2,
  );
}
