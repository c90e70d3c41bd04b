// Where regression builds base and head: in worktrees here, or on the server's machine.

import { dirname } from "node:path";
import { localName } from "../agents/destination.ts";
import type { FleetHost } from "../agents/fleet-host.ts";
import { hostPlanOf, type Machines, openMachines } from "../agents/machines.ts";
import { type Given, UsageError } from "../command-line.ts";
import { RemoteTrees } from "../gate/remote-trees.ts";
import type { Revision } from "../gate/result.ts";
import type { Repository } from "../gate/revisions.ts";
import type { ToolContext } from "../gate/tool.ts";
import type { Worktrees } from "../gate/worktrees.ts";
import { anySignal } from "../host/interrupt.ts";
import { say } from "./command.ts";

type BuiltSide = "base" | "head";

/** What is compared, and the options that name the machines. */
export interface Comparing {
  readonly given: Given;
  readonly revisions: Readonly<Record<BuiltSide, Revision>>;
  readonly repository: Repository;
  /** Whether it is a server of the user, which --build builds; false: the suite's own servers. */
  readonly foreign: boolean;
}

/** Both trees and the machines of the run; the caller removes the worktrees. */
export interface OpenTrees {
  readonly machines: Machines;
  /** @returns the folder of the built tree, on the server's machine. */
  build(side: BuiltSide): Promise<string>;
  /** Removes what is on the server's machine, and ends every agent. */
  close(): Promise<void>;
}

/** @throws {UsageError} for the suite's own servers, whose calls this machine's kernel counts. */
export function refuseMachines(given: Given, foreign: boolean): void {
  if (foreign || hostPlanOf(given) === null) return;
  throw new UsageError(
    "--agents needs --command: the suite's own servers are compared on this machine, where their " +
      "system calls are counted; to compare one under the load of agents, give " +
      "--build 'npm ci && npm run build' and --command " +
      "'build/Release/echo-server --strategy reactor-epoll --host {host} --port {port}'",
  );
}

/** @throws {UsageError} naming each machine that cannot take part. @throws {Interrupted} */
export async function openTrees(
  comparing: Comparing,
  worktrees: Worktrees,
  { signal }: Pick<ToolContext, "signal">,
): Promise<OpenTrees> {
  const { given, revisions, repository, foreign } = comparing;
  const { folder } = repository;
  const command = (given.values["build"] as string | null) ?? null;
  const away = (hostPlanOf(given)?.server ?? localName) !== localName;
  if (!away) {
    const machines = await openMachines(given, { signal });
    return {
      machines,
      build: async (side) =>
        foreign
          ? await worktrees.buildBy(side, revisions[side], { folder, command })
          : await worktrees.build(side, revisions[side]),
      close: () => machines.close(),
    };
  }
  const packed = {
    head: await worktrees.pack("head", revisions.head, folder),
    base: await worktrees.pack("base", revisions.base, folder),
  };
  const bytes = packed.head.bytes.length + packed.base.bytes.length;
  say(`copying both commits to the server's machine: up to ${Math.ceil(bytes / 1024)} KiB`);
  const serverFiles = [packed.head, packed.base];
  const machines = await openMachines(given, { signal, serverFiles });
  try {
    const remote = await openRemote(machines.fleet as FleetHost, signal);
    const { file: head } = packed.head;
    const { file: base } = packed.base;
    const files = { head, base };
    return {
      machines,
      build: (side) =>
        remote.buildBy(side, revisions[side], { file: files[side], folder, command }),
      close: async () => {
        try {
          await remote.remove();
        } finally {
          await machines.close();
        }
      },
    };
  } catch (error) {
    await machines.close();
    throw error;
  }
}

async function openRemote(fleet: FleetHost, signal: AbortSignal): Promise<RemoteTrees> {
  const machine = {
    name: fleet.names.at(-1) ?? "",
    host: fleet,
    cache: dirname(fleet.serverPrograms.loadGenerator),
  };
  return await RemoteTrees.open(machine, anySignal(signal, fleet.lost));
}
