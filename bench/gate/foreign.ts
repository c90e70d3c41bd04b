// A gate on any repository's server: how it is started from a built tree, and how much is measured.
// The load is the suite's; what is sent is the protocol's.

import { startedByCommand } from "../contenders/foreign.ts";
import { usualPayloadBytes } from "../model/workloads/workload.ts";
import type { Paths } from "../paths.ts";
import type { Spoken } from "../run/protocol.ts";
import type { GateProfile, LoadRow } from "./profiles.ts";
import type { Side, Trees } from "./sides.ts";
import { shellQuoted } from "./worktrees.ts";

export interface ForeignServer {
  /** In reports. */
  readonly name: string;
  /** A shell's command with `{port}`, as it is run in a built tree. */
  readonly command: string;
  readonly spoken: Spoken;
  readonly readySeconds: number;
  readonly connections: number;
  readonly ratePerSecond: number;
  /** Planted for the control, as a share of the server's own CPU time. */
  readonly plantedPercent: number;
}

/** The built trees by side. */
interface BuiltTrees {
  readonly base: string;
  readonly head: string;
  /** Of the machine on which they are; default: this one's. */
  readonly loadGenerator?: string;
}

/** @param own the programs of this machine */
export function foreignTrees(
  server: ForeignServer,
  { loadGenerator, ...folders }: BuiltTrees,
  own: Paths,
): Trees {
  const percent = server.plantedPercent;
  const burner = shellQuoted(loadGenerator ?? own.loadGenerator);
  const burn = `exec ${burner} burn --percent ${percent} -- /bin/sh -c `;
  const start = (side: Side) => {
    const folder = folders[side === "head" ? "head" : "base"];
    // After "&&" the rest of a command with "&" would run in the folder of this process.
    const command = `cd ${shellQuoted(folder)} || exit\n${server.command}`;
    return started(server, side === "planted" ? burn + shellQuoted(command) : command);
  };
  return { base: own, head: own, server: start };
}

function started({ name, spoken, readySeconds }: ForeignServer, command: string) {
  return startedByCommand({ name, command, readySeconds, spoken: spoken.arguments });
}

/** The pairs of a profile of the suite's own gate, with this server under this load. */
export function foreignProfile(profile: GateProfile, server: ForeignServer): GateProfile {
  const { name, spoken, connections, ratePerSecond } = server;
  const scale = {
    contenders: [name],
    connections,
    payloadBytes: spoken.protocol === "echo" ? usualPayloadBytes : 0,
  };
  const loads = profile.loads.map(
    (row): LoadRow => ({
      ...row,
      ...scale,
      ...(row.ratePerSecond === null ? {} : { ratePerSecond }),
      metrics: row.metrics.filter((metric) => metric !== "systemCallsPerMessage"),
      ...(row.together
        ? { plantedPercent: server.plantedPercent }
        : { pairsUnasked: advisoryPairs }),
    }),
  );
  return { ...profile, loads, exact: [] };
}

/** Requests per second, latency and memory inform: the fewest that an interval can be made of. */
const advisoryPairs = 6;
