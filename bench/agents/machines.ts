// The machines of a command: this one alone, or those that the command line names.

import { readFileSync } from "node:fs";
import { type Given, type OptionRow, option, UsageError, word } from "../command-line.ts";
import type { Host } from "../host/host.ts";
import { LocalHost } from "../host/local.ts";
import type { Results } from "../model/results.ts";
import { HostError } from "./agent.ts";
import { checkDestination, type HostPlan, localName, parseHosts } from "./destination.ts";
import { FleetHost, type Opening } from "./fleet-host.ts";

/** The options of every command that measures or looks: several machines. */
const rows: readonly OptionRow[] = [
  option("agents", "U@A,U@B", "these machines make the load; local is this one", destinations),
  option("server", "U@S", "the server runs there, not here", checkDestination),
  option(
    "server-address",
    "ADDRESS",
    "where it listens; default: what ssh reaches",
    numericAddress,
  ),
  option("hosts", "FILE", 'lines "agent U@A" or "server U@S [ADDRESS]"', word),
  option("ssh-config", "FILE", "for ssh -F; default: your own", word),
];

/** Help names them only: docs/several-machines.md explains them. */
export const machineRows = rows.map((row) => ({ ...row, page: "docs/several-machines.md" }));

/** A numeric address, which needs no resolver. */
function numericAddress(text: string, option: string): string {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text;
  throw new UsageError(`${option}: "${text}" is not a numeric IPv4 address, such as 10.0.0.2`);
}

/** Kept as they are, twice the same one too: each is an agent. */
function destinations(text: string, option: string): string[] {
  return text.split(",").map((name) => checkDestination(name.trim(), option));
}

/** @returns null if only this machine takes part. @throws {UsageError} */
export function hostPlanOf({ values }: Given): HostPlan | null {
  const text = (name: string) => (values[name] as string | null | undefined) ?? null;
  const agents = (values["agents"] as readonly string[] | null | undefined) ?? null;
  const [file, server, serverAddress] = [text("hosts"), text("server"), text("server-address")];
  const sshConfig = text("ssh-config");
  if (file !== null) {
    if (agents !== null || server !== null) {
      throw new UsageError("--hosts names the agents and the server: leave out --agents, --server");
    }
    const plan = parseHosts(readHosts(file), file);
    return { ...plan, serverAddress: serverAddress ?? plan.serverAddress, sshConfig };
  }
  if (agents === null) {
    const alone = ["server", "server-address", "ssh-config"].find((name) => text(name) !== null);
    if (alone === undefined) return null;
    throw new UsageError(`--${alone} needs --agents: the machines that make the load`);
  }
  return { agents, server: server ?? localName, serverAddress, sshConfig };
}

function readHosts(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--hosts: ${error instanceof Error ? error.message : error}`);
  }
}

export interface Machines {
  readonly host: Host;
  /** Null if only this machine takes part. */
  readonly fleet: FleetHost | null;
  /** Aborts when one of them is lost; what was measured until then is kept. */
  readonly lost: AbortSignal;
  /** Lines for the user before the run. */
  readonly coming: readonly string[];
  /** Lines for the user after it: the skew, saturated agents, what stood still. */
  outcome(): readonly string[];
  /** The results with what is known of every machine. */
  finish(results: Results): Promise<Results>;
  /** Ends every agent. */
  close(): Promise<void>;
}

/** @throws {UsageError} naming each machine that cannot take part, and why. */
export async function openMachines(given: Given, opening: Opening = {}): Promise<Machines> {
  const plan = hostPlanOf(given);
  if (plan === null) return thisMachine();
  try {
    const fleet = await FleetHost.open(plan, opening);
    return await ready(fleet);
  } catch (error) {
    if (error instanceof HostError) throw new UsageError(error.message);
    throw error;
  }
}

function thisMachine(): Machines {
  return {
    host: new LocalHost(),
    fleet: null,
    lost: new AbortController().signal,
    coming: [],
    outcome: () => [],
    finish: async (results) => results,
    close: async () => {},
  };
}

async function ready(fleet: FleetHost): Promise<Machines> {
  try {
    await fleet.measureNetwork();
    const blocks = await fleet.blocks();
    return {
      host: fleet,
      fleet,
      lost: fleet.lost,
      coming: comingLines(fleet, blocks),
      outcome: () => outcomeLines(fleet),
      finish: async (results) => ({
        ...results,
        environment: { ...results.environment, machines: blocks, fleet: fleet.facts },
      }),
      close: () => fleet.close(),
    };
  } catch (error) {
    await fleet.close();
    throw error;
  }
}

function outcomeLines(fleet: FleetHost): string[] {
  const { startSkewMs, clockUncertaintyMs, limitedByClients, faults, ...more } = fleet.facts;
  const lines = [...faults];
  if (startSkewMs !== null) {
    lines.push(
      `start skew between agents: ${startSkewMs.median.toFixed(2)} ms, at most ` +
        `${startSkewMs.largest.toFixed(2)} ms; clocks are known to ` +
        `${(clockUncertaintyMs ?? 0).toFixed(2)} ms`,
    );
  }
  const named = (agents: readonly number[]) =>
    agents.map((agent) => fleet.names[agent - 1]).join(", ");
  const full = named(limitedByClients);
  const disturbed = named(more.disturbedAgents);
  if (full !== "") lines.push(`limited by the load generator: ${full} was saturated, or sent late`);
  if (disturbed !== "") lines.push(`other programs used the CPU of ${disturbed}, which sent late`);
  return lines;
}

function comingLines(fleet: FleetHost, blocks: Awaited<ReturnType<FleetHost["blocks"]>>): string[] {
  const agents = blocks.filter(({ network }) => network !== null);
  const server = `server on ${fleet.names.at(-1)}, which listens on ${fleet.serverAddress}`;
  return [
    server,
    ...agents.map(({ role, network, besideServer }, index) => {
      const path =
        network === null
          ? ""
          : `: round trip ${network.roundTripUs.toFixed(0)} µs, ` +
            `${network.mebibytesPerSecond.toFixed(0)} MiB/s`;
      const beside = besideServer ? "; it is the server's machine" : "";
      return `${role} on ${fleet.names[index]}${path}${beside}`;
    }),
  ];
}
