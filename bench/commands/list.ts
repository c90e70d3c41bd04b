// list: what there is to run.

import { flag } from "../command-line.ts";
import { type Contender, contenders, reference } from "../contenders/catalogue.ts";
import { families } from "../contenders/families.ts";
import { peers, peersGroup } from "../contenders/peers.ts";
import { widthOf } from "../host/output.ts";
import { packagePaths } from "../paths.ts";
import { wrap } from "../report/text-table.ts";
import { defaultProfile, profiles } from "../run/profiles.ts";
import { type Command, print, readerExitLines } from "./command.ts";
import {
  familyLines,
  familyOf,
  installed,
  listColumns,
  listLines,
  missingRows,
  workloadLines,
} from "./listing.ts";

export const listCommand: Command = {
  name: "list",
  summary: "lists all profiles, workloads and contenders",
  operands: "",
  options: [flag("json", "as JSON")],
  examples: [["npm run bench -- list --json", "for a script"]],
  exits: readerExitLines,
  execute: async ({ values }) =>
    print(values["json"] === true ? asJson() : asText(widthOf(process.stdout))),
};

export function asText(width: number): string {
  const columns = Math.min(listColumns, width);
  const what = "servers in other languages and on other libraries, measured only if you name them";
  return [
    `profiles (default: ${defaultProfile}):`,
    ...listLines(profiles, columns),
    "",
    "workloads:",
    ...workloadLines(columns),
    "",
    `contenders (${reference} is the reference):`,
    ...listLines(contenders, columns),
    "",
    ...wrap(`${peersGroup}: ${what}:`, columns),
    ...listLines(peers, columns),
    ...familyLines(columns),
  ].join("\n");
}

function asJson(): string {
  const paths = packagePaths();
  return JSON.stringify(
    {
      profiles: profiles.map(({ name, summary }) => ({ name, summary })),
      workloads: installed().map(({ name, answers }) => ({ name, answers })),
      contenders: contenders.map(described),
      peers: peers.map((peer) => ({ ...described(peer), missing: peer.missing?.(paths) ?? null })),
      families: Object.keys(families)
        .map((workload) => ({ workload, rows: familyOf(workload) ?? [] }))
        .filter(({ rows }) => rows.length > 0)
        .map(({ workload, rows }) => ({ workload, contenders: rows.map(described) })),
      missing: missingRows(),
      reference,
    },
    null,
    2,
  );
}

/** `unsupported`: the workloads without it, from which number of connections on, and why. */
const described = ({ name, summary, platforms, unsupported = [] }: Contender) => ({
  name,
  summary,
  platforms,
  unsupported,
});
