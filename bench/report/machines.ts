// The machines of a run over several, for the report, and what it showed of all of them. Pure.

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

/** What each agent did: its windows, CPU, sender delay and dropped messages. */
const agentsSchema = s.record({ agents: s.list(s.mapOf(s.number)) });

const ofSeveral = ["machines", "fleet"];

/** What is known of the machine that the server ran on. */
export function ownProperties(environment: Environment): Entries {
  return Object.entries(environment).filter(([name]) => !ofSeveral.includes(name));
}

/** None for a run on one machine. */
export function machineBlocks(environment: Environment): MachineBlock[] {
  const machines = Array.isArray(environment["machines"]) ? environment["machines"] : [];
  const { fleet } = environment as { readonly fleet?: unknown };
  const agents = s.satisfies(agentsSchema, fleet) ? fleet.agents : [];
  const blocks = machines
    .filter((block) => s.satisfies(blockSchema, block))
    // The server's machine is the environment itself.
    .filter(({ role }) => role !== "server")
    .map(({ role, environment: own, network, besideServer }) => ({
      title: `Machine: ${role}`,
      entries: [
        ["theServersMachine", besideServer] as const,
        ...Object.entries(network ?? {}),
        ...agents
          .filter(({ agent }) => role === `agent ${agent}`)
          .flatMap(Object.entries)
          .slice(1),
        ...Object.entries(own),
      ],
    }));
  if (!s.satisfies(s.mapOf(s.anything), fleet)) return blocks;
  const together = Object.entries(fleet).filter(([name]) => name !== "agents");
  return [...blocks, { title: "All machines together", entries: together }];
}
