// list: what there is to run.

import { contenders, reference } from "../contenders/catalogue.ts";
import { families } from "../contenders/families.ts";
import { defaultProfile, profiles } from "../profiles.ts";
import { wrap } from "../report/text-table.ts";
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

const columns = 80;

/** Names and what they mean; a long meaning goes on below itself. */
export function listLines(rows: readonly { name: string; summary: string }[]): string[] {
  const width = Math.max(...rows.map(({ name }) => name.length)) + 4;
  return rows.flatMap(({ name, summary }) => {
    const [first = "", ...rest] = wrap(summary, columns - width);
    return [`  ${name}`.padEnd(width) + first, ...rest.map((line) => " ".repeat(width) + line)];
  });
}

/** Those of the workloads that have no echo servers, a paragraph each. */
export function familyLines(): string[] {
  return Object.entries(families).flatMap(([workload, rows]) => [
    "",
    `contenders of ${workload}, instead:`,
    ...listLines(rows),
  ]);
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
    ...familyLines(),
  ].join("\n");
}

function asJson(): string {
  return JSON.stringify(
    {
      profiles: profiles.map(({ name, summary }) => ({ name, summary })),
      workloads: workloads.map(({ name, answers }) => ({ name, answers })),
      contenders: contenders.map(({ name, summary, platforms }) => ({ name, summary, platforms })),
      families: Object.entries(families).map(([workload, rows]) => ({
        workload,
        contenders: rows.map(({ name, summary, platforms }) => ({ name, summary, platforms })),
      })),
      reference,
    },
    null,
    2,
  );
}
