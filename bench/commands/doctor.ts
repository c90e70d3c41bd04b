// doctor: what this machine allows and what disturbs its figures, with the command that changes it.

import { loadavg } from "node:os";
import { availableBackends } from "../../src/index.ts";
import { machineRows, openMachines } from "../agents/machines.ts";
import { flag } from "../command-line.ts";
import { type FitRow, fitRows, limitRows, models, scales, thousands } from "../host/diagnosis.ts";
import type { MachineEnvironment } from "../host/environment.ts";
import { type MachineLimits, warnings } from "../host/limits.ts";
import { LocalHost } from "../host/local.ts";
import { widthOf } from "../host/output.ts";
import { wrapLast } from "../report/text-table.ts";
import { type Command, print, readerExitLines } from "./command.ts";
import { diagnoseMachines, table } from "./doctor-machines.ts";

export const doctorCommand: Command = {
  name: "doctor",
  summary:
    "shows this machine's limits, what disturbs its figures, and the commands that change them",
  operands: "",
  options: [...machineRows, flag("json", "as JSON")],
  examples: [
    ["npm run bench -- doctor", "checks, and changes nothing"],
    ["npm run bench -- doctor --agents user@a,user@b --server user@s", "each machine of a run"],
  ],
  exits: readerExitLines,
  execute: async (given) => {
    const { values } = given;
    const machines = await openMachines(given);
    if (machines.fleet !== null) {
      try {
        return print(await diagnoseMachines(machines, values["json"] === true));
      } finally {
        await machines.close();
      }
    }
    const host = new LocalHost();
    const [machine, environment] = [await host.limits(), await host.environment()];
    const { note } = await host.cpus();
    const disturbances = disturbancesOf(machine, environment, note);
    const diagnosis = { machine, environment, disturbances };
    return print(values["json"] === true ? asJson(diagnosis) : asText(diagnosis));
  },
};

interface Diagnosis {
  readonly machine: MachineLimits;
  readonly environment: MachineEnvironment;
  readonly disturbances: readonly string[];
}

function asText({ machine, environment, disturbances }: Diagnosis): string {
  return [
    "machine",
    ...machineLines(environment),
    "",
    "limits",
    ...table(limitRows(machine).map(({ limit, value, allows }) => [limit, value, allows])),
    "",
    "what fits, by number of connections",
    ...fitLines(machine),
    "",
    "backends",
    ...table(
      availableBackends().map(({ name, available, reason }) => [
        name,
        available ? "works" : "no",
        reason ?? "",
      ]),
    ),
    "",
    "what disturbs figures here",
    ...disturbances.map((line) => `  ${line}`),
  ]
    .flatMap((line) => wrapLast(line, widthOf(process.stdout)))
    .join("\n");
}

function asJson({ machine, environment, disturbances }: Diagnosis): string {
  return JSON.stringify(
    {
      environment,
      limits: limitRows(machine),
      fits: fitRows(machine),
      backends: availableBackends(),
      disturbances,
    },
    null,
    2,
  );
}

function machineLines(environment: MachineEnvironment): string[] {
  const { cpuModel, logicalCores, availableCores, kernel, hypervisor, clockSource } = environment;
  const unnamed = hypervisor === "virtual machine";
  const machine = unnamed ? "in a virtual machine" : `a guest of ${hypervisor}`;
  const cores =
    availableCores === logicalCores ? `${logicalCores}` : `${availableCores} of ${logicalCores}`;
  return table([
    ["processor", `${cpuModel ?? "unknown"}, ${cores} CPUs`],
    ["memory", `${(environment.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ["kernel", `${kernel}${isGuest(environment) ? `, ${machine}` : ""}`],
    ["clock source", clockSource ?? "unknown"],
    ["fingerprint", environment.fingerprint],
  ]);
}

const modelWords = {
  single: "one thread",
  thread: "thread per connection",
  process: "process per connection",
  prefork: "prefork",
} as const;

/** What fits, then once for each limit that is in the way how it is lifted. */
function fitLines(machine: MachineLimits): string[] {
  const rows = fitRows(machine);
  const cell = (connections: number, model: string) => {
    const row = rows.find((fit) => fit.connections === connections && fit.model === model);
    const [first] = row?.shortfalls ?? [];
    return first === undefined ? "fits" : `no: ${first.limit}`;
  };
  const lines = table([
    ["connections", ...models.map((model) => modelWords[model])],
    ...scales.map((connections) => [
      thousands(connections),
      ...models.map((model) => cell(connections, model)),
    ]),
  ]);
  const lifted = models.flatMap((model) => liftLines(rows.filter((fit) => fit.model === model)));
  return lifted.length === 0 ? lines : [...lines, "", "to lift them", ...lifted];
}

/** How to lift the limits of one model at its smallest scale that does not fit. */
function liftLines(rows: readonly FitRow[]): string[] {
  const first = rows.find(({ shortfalls }) => shortfalls.length > 0);
  if (first === undefined) return [];
  return [
    `  ${thousands(first.connections)} connections, ${modelWords[first.model]}:`,
    ...first.shortfalls.flatMap(({ reason, command, hint }) => [
      `    ${reason}`,
      `      ${command}`,
      ...(hint === null ? [] : [`      (${hint})`]),
    ]),
  ];
}

/** Neither a limit nor a fault: why figures may be worse than they could be. */
function disturbancesOf(
  machine: MachineLimits,
  environment: MachineEnvironment,
  note: string | null,
): string[] {
  const [load = 0] = loadavg();
  const found = [
    note,
    load > 0.5
      ? `load average ${load.toFixed(2)}: other programs run, so windows will be discarded`
      : null,
    environment.governor !== null && environment.governor !== "performance"
      ? `CPU governor ${environment.governor}: cpupower frequency-set -g performance`
      : null,
    isGuest(environment)
      ? "virtual machine: its host may take CPU time; windows with stolen time are discarded"
      : null,
    ...warnings(machine),
  ].filter((line) => line !== null);
  return found.length === 0 ? ["none found"] : found;
}

function isGuest({ hypervisor }: MachineEnvironment): boolean {
  return hypervisor !== null && hypervisor !== "none";
}
