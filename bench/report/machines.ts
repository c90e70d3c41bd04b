// The machines of a run over several, for the report: an environment block each, and what the run
// showed of all of them. Pure.

import type { Environment } from "../model/results.ts";
import * as s from "../model/schema.ts";

type Entries = readonly (readonly [string, unknown])[];

/** Properties of one machine, or of all together. */
interface MachineBlock {
  readonly title: string;
  readonly entries: Entries;
}

const blockSchema = s.record({
  role: s.text,
  environment: s.mapOf(s.anything),
  network: s.nullable(s.mapOf(s.number)),
  besideServer: s.boolean,
});

const ofSeveral = ["machines", "fleet"];

/** What is known of the machine that the server ran on. */
export function ownProperties(environment: Environment): Entries {
  return Object.entries(environment).filter(([name]) => !ofSeveral.includes(name));
}

/** None for a run on one machine. */
export function machineBlocks(environment: Environment): MachineBlock[] {
  const machines = Array.isArray(environment["machines"]) ? environment["machines"] : [];
  const blocks = machines
    .filter((block) => s.satisfies(blockSchema, block))
    // The server's machine is the environment itself.
    .filter(({ role }) => role !== "server")
    .map(({ role, environment: own, network, besideServer }) => ({
      title: `Machine: ${role}`,
      entries: [
        ["theServersMachine", besideServer] as const,
        ...Object.entries(network ?? {}),
        ...Object.entries(own),
      ],
    }));
  const { fleet } = environment as { readonly fleet?: unknown };
  if (!s.satisfies(s.mapOf(s.anything), fleet)) return blocks;
  return [...blocks, { title: "All machines together", entries: Object.entries(fleet) }];
}
