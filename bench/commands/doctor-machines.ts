// doctor over several machines: each one's limits, and the network between them.

import { agentShortfall } from "../agents/agent-limits.ts";
import { environmentOf, limitsOf } from "../agents/fleet-host.ts";
import type { Machines } from "../agents/machines.ts";
import { fitRows, limitRows, scales, thousands } from "../host/diagnosis.ts";
import type { HostEnvironment } from "../host/host-environment.ts";
import type { MachineLimits, Shortfall } from "../host/limits.ts";
import { alignedLines } from "../report/text-table.ts";

interface MachineDiagnosis {
  /** As the user named it. */
  readonly name: string;
  readonly role: string;
  readonly environment: HostEnvironment;
  readonly limits: MachineLimits;
  readonly shortfalls: readonly { readonly connections: number; readonly found: Shortfall[] }[];
}

export async function diagnoseMachines(machines: Machines, json: boolean): Promise<string> {
  const { fleet } = machines;
  if (fleet === null) return "";
  const agents = fleet.machines.length - 1;
  const found: MachineDiagnosis[] = [];
  for (const { name, role, agent } of fleet.machines) {
    const [environment, limits] = [await environmentOf(agent), await limitsOf(agent)];
    const shortfalls =
      role === "server"
        ? serverShortfalls(limits)
        : agentShortfalls(limits, { name, agents, oneSource: fleet.hasOneSource(agent) });
    found.push({ name, role, environment, limits, shortfalls });
  }
  const network = (await fleet.blocks()).filter((block) => block.network !== null);
  if (json) {
    const rows = found.map(({ limits, ...rest }) => ({ ...rest, limits: limitRows(limits) }));
    return JSON.stringify({ machines: rows, network }, null, 2);
  }
  return [...machines.coming, ...found.flatMap((each) => ["", ...machineLines(each)])].join("\n");
}

/** One thread for all, which is what a reactor is. */
function serverShortfalls(limits: MachineLimits): MachineDiagnosis["shortfalls"] {
  const rows = fitRows(limits).filter(({ model }) => model === "single");
  return rows.map(({ connections, shortfalls }) => ({ connections, found: [...shortfalls] }));
}

interface AgentPlace {
  readonly name: string;
  /** How many there are. */
  readonly agents: number;
  readonly oneSource: boolean;
}

function agentShortfalls(
  limits: MachineLimits,
  { name, agents, oneSource }: AgentPlace,
): MachineDiagnosis["shortfalls"] {
  return scales.map((connections) => {
    const demand = { connections: Math.ceil(connections / agents), oneSource };
    const found = agentShortfall(name, limits, demand);
    return { connections, found: found === null ? [] : [found] };
  });
}

function machineLines({ name, role, environment, limits, shortfalls }: MachineDiagnosis): string[] {
  const { cpuModel, availableCores, kernel, memoryBytes } = environment;
  const lifted = shortfalls.find(({ found }) => found.length > 0);
  return [
    `${role}: ${name}`,
    ...table([
      ["processor", `${availableCores} CPUs`, cpuModel ?? "unknown"],
      ["memory", `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`, ""],
      ["kernel", kernel, ""],
      ...limitRows(limits).map(({ limit, value, allows }) => [limit, value, allows]),
      ...shortfalls.map(({ connections, found: [first] }) => [
        `${thousands(connections)} connections`,
        first === undefined ? "fit" : "no",
        first === undefined ? "" : first.reason,
      ]),
    ]),
    ...(lifted === undefined
      ? []
      : lifted.found.flatMap(({ command, hint }) => [
          `  to lift it for ${thousands(lifted.connections)}: ${command}`,
          ...(hint === null ? [] : [`    (${hint})`]),
        ])),
  ];
}

/** Columns below a heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  return alignedLines(rows).map((line) => `  ${line}`);
}
