// Whether a machine that only makes load can hold its part of the connections: descriptors are
// split over processes, so ports and memory are what binds. ip(7), tcp(7). Pure.

import type { MachineLimits, Shortfall } from "../host/limits.ts";

/** A socket, its buffers' remains, and the generator's own slot for it. */
const bytesPerConnection = 6_000;
/** Ports below are for servers; the range may reach down to here. */
const firstPort = 1024;
const portsAtMost = 65_536 - firstPort;

interface AgentDemand {
  readonly connections: number;
  /** Whether all connections leave from one address: then each needs a port of its own. */
  readonly oneSource: boolean;
}

/** The first limit that is too low, with the command that lifts it; null if all fits. */
export function agentShortfall(
  name: string,
  limits: MachineLimits,
  demand: AgentDemand,
): Shortfall | null {
  return portShortfall(name, limits, demand) ?? memoryShortfall(name, limits, demand);
}

/** Each agent opens at least one of the connections. */
export function partShortfall(connections: number, agents: number): Shortfall | null {
  if (connections >= agents) return null;
  const command = `fewer agents, or --connections ${agents} or more`;
  return shortfall("connections for the agents:", {
    needed: agents,
    allowed: connections,
    command,
  });
}

function portShortfall(
  name: string,
  { portRange, mayRaise }: MachineLimits,
  { connections, oneSource }: AgentDemand,
): Shortfall | null {
  if (portRange === null || !oneSource) return null;
  const allowed = portRange.last - portRange.first + 1;
  if (allowed >= connections) return null;
  const sudo = mayRaise ? "" : "sudo ";
  const lift = `${sudo}sysctl -w net.ipv4.ip_local_port_range="${firstPort} 65535"`;
  const agents = `more agents: each has ${portsAtMost} ports to one address of the server`;
  return shortfall(`net.ipv4.ip_local_port_range of ${name}`, {
    needed: connections,
    allowed,
    command: connections <= portsAtMost ? `${lift} (on ${name})` : agents,
  });
}

function memoryShortfall(
  name: string,
  { availableMemoryBytes: allowed }: MachineLimits,
  { connections }: AgentDemand,
): Shortfall | null {
  const needed = connections * bytesPerConnection;
  if (allowed === null || allowed >= needed) return null;
  const command = "more agents, or fewer connections";
  return shortfall(`available memory (bytes) of ${name}`, { needed, allowed, command });
}

function shortfall(
  limit: string,
  { needed, allowed, command }: Pick<Shortfall, "needed" | "allowed" | "command">,
): Shortfall {
  const reason = `${limit} ${allowed} < ${needed} needed`;
  return { limit, needed, allowed, reason, command, hint: null };
}
