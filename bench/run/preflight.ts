// Which contenders can run here, and with how many processes, determined before anything is
// measured.

import type { Contender } from "../contenders/catalogue.ts";
import type { Host } from "../host/host.ts";
import { type Demand, type MachineLimits, preflight, takenBy, workersFor } from "../host/limits.ts";
import { takesTurns } from "./interleaved.ts";
import type { Refusal } from "./judge.ts";
import type { Part, Scenario } from "./plan.ts";
import type { RoundRequest } from "./round.ts";

interface Asking {
  readonly host: Host;
  readonly machine: MachineLimits;
  /** The reference's name. */
  readonly reference: string;
}

/** By contender; those that can run are not in it. */
export function refusalsOf(
  part: Part,
  scenario: Scenario,
  { host, machine, reference }: Asking,
): Map<string, Refusal> {
  const refusals = new Map<string, Refusal>();
  const turns = takesTurns(scenario, part.timing);
  // One load generator on this machine keeps all connections.
  const held = turns && host.shortfall === undefined;
  // Where the load turns, the reference is open beside each contender.
  const compares = turns && scenario.workload.comparesToReference === true;
  const base = compares ? part.contenders.find(({ name }) => name === reference) : undefined;
  for (const contender of part.contenders) {
    const others = base === undefined || base === contender ? [] : [demandOf(base, scenario)];
    const refusal =
      platformRefusal(contender, host) ??
      missingRefusal(contender, host) ??
      hostRefusal(contender, scenario, host) ??
      exclusionOf(contender, scenario) ??
      limitRefusal(contender, scenario, { host, machine, held, others });
    if (refusal !== null) refusals.set(contender.name, refusal);
  }
  return refusals;
}

/** Whether the machine lets all of these servers be open at the same time. */
export function fitTogether(rounds: readonly RoundRequest[], machine: MachineLimits): boolean {
  const demands = rounds.map(({ contender, scenario }) => demandOf(contender, scenario));
  return demands.every((demand, index) => {
    const others = demands.filter((_, at) => at !== index);
    return preflight(machine, { ...demand, beside: takenBy(others) }) === null;
  });
}

function demandOf({ concurrency: model }: Contender, { load }: Scenario): Demand {
  return { model, connections: load.connections };
}

/** How many processes a prefork server gets for so many connections; 1 for every other. */
export function workersOf(
  { concurrency }: Contender,
  connections: number,
  machine: MachineLimits,
): number {
  return concurrency === "prefork" ? workersFor(machine, connections) : 1;
}

function platformRefusal({ platforms }: Contender, { platform }: Host): Refusal | null {
  if (platforms.includes(platform)) return null;
  return { status: "unavailable", cause: { code: "platform", platforms, platform } };
}

function missingRefusal({ missing, prepare }: Contender, { paths }: Host): Refusal | null {
  const reason = missing?.(paths) ?? prepare?.(paths) ?? null;
  return reason === null ? null : { status: "unavailable", cause: { code: "said", text: reason } };
}

function hostRefusal(contender: Contender, { load }: Scenario, host: Host): Refusal | null {
  const alone = load.mode === "readiness" || load.mode === "delivery" || load.mode === "memory";
  const text =
    host.refuses === undefined
      ? null
      : alone
        ? `${load.mode}: is measured on one machine, without agents`
        : host.refuses(contender.command(host.paths, 1));
  return text === null ? null : { status: "unavailable", cause: { code: "said", text } };
}

function exclusionOf(
  { unsupported = [] }: Contender,
  { workload, load }: Scenario,
): Refusal | null {
  const found = unsupported.find(
    ({ workloads, fromConnections = 0 }) =>
      workloads.includes(workload.name) && load.connections >= fromConnections,
  );
  if (found === undefined) return null;
  return { status: "unsupported", cause: { code: "said", text: found.reason } };
}

interface Surroundings {
  readonly host: Host;
  readonly machine: MachineLimits;
  readonly held: boolean;
  /** The servers that are open at the same time in any case. */
  readonly others: readonly Demand[];
}

function limitRefusal(
  { concurrency: model }: Contender,
  { load }: Scenario,
  { host, machine, held, others }: Surroundings,
): Refusal | null {
  const { mode, connections } = load;
  const beside = takenBy(others);
  const open =
    mode === "readiness"
      ? { model, connections: 2 * connections }
      : { model, connections, held, beside };
  const demand: Demand = mode === "readiness" ? { ...open, alone: true } : open;
  const shortfall = preflight(machine, demand) ?? host.shortfall?.(connections) ?? null;
  if (shortfall === null) return null;
  const { limit, allowed, needed, command } = shortfall;
  return { status: "skipped", cause: { code: "limit", limit, allowed, needed, command } };
}
