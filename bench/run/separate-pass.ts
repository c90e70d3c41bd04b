// What the passes after the rounds have in common: the load of the run's first workload, each
// contender that the run could measure, and a fresh server for it. No window is measured meanwhile,
// so no figure of the run pays for them.

import type { Contender } from "../contenders/catalogue.ts";
import { Interrupted } from "../host/deadline.ts";
import { endEverything } from "../host/host.ts";
import type { Results } from "../model/results.ts";
import type { GeneratorLoad } from "./load-arguments.ts";
import type { Plan, Scenario } from "./plan.ts";
import type { Timing } from "./profiles.ts";
import { type RoundContext, startContender, withoutRoot } from "./round.ts";
import type { ServerProcess } from "./server.ts";

export interface SeparatePass extends RoundContext {
  /** Processes that a server of several is to have. */
  readonly workersOf: (contender: Contender, scenario: Scenario) => number;
  readonly onContender: (name: string) => void;
}

export interface PassLoad {
  readonly scenario: Scenario;
  readonly load: GeneratorLoad;
  readonly contenders: readonly Contender[];
}

/** The first workload with messages, at its largest scale; null if the plan has none. */
export function passLoadOf({ parts }: Plan): PassLoad | null {
  const found = parts.flatMap(({ scenarios, contenders }) => {
    const [scenario] = scenarios;
    if (scenario === undefined || !hasMessages(scenario.load)) return [];
    return [{ scenario, load: scenario.load, contenders }];
  });
  const [first] = found;
  return found
    .filter(({ scenario }) => scenario.workload === first?.scenario.workload)
    .reduce<PassLoad | null>(
      (most, one) => (most === null || one.load.connections > most.load.connections ? one : most),
      null,
    );
}

function hasMessages(load: Scenario["load"]): load is GeneratorLoad {
  return ["open", "closed", "churn"].includes(load.mode);
}

/** What a cell, or a record beside the cells, says of its load. */
export function scaleOf({ scenario, load }: PassLoad) {
  return {
    workload: scenario.workload.name,
    connections: load.connections,
    activeConnections: load.activeConnections,
    payloadBytes: load.payloadBytes,
    ...(scenario.variant === null ? {} : { variant: scenario.variant }),
  };
}

/** @returns what `one` returns for each measured contender, up to an interruption. */
export async function eachInTurn<T>(
  { results, plan }: { readonly results: Results; readonly plan: Plan },
  pass: SeparatePass,
  one: (contender: Contender, passLoad: PassLoad) => Promise<T>,
): Promise<T[]> {
  const passLoad = passLoadOf(plan);
  const made: T[] = [];
  if (passLoad === null || pass.signal.aborted) return made;
  const ran = new Set(
    results.cells.filter(({ blocks }) => blocks > 0).map(({ contender }) => contender),
  );
  try {
    for (const contender of passLoad.contenders.filter(({ name }) => ran.has(name))) {
      pass.onContender(contender.name);
      made.push(await one(contender, passLoad));
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    await endEverything(pass.host);
  }
  return made;
}

interface PassServer {
  readonly contender: Contender;
  readonly passLoad: PassLoad;
  readonly timing: Timing;
}

/** Starts a fresh server. @returns it, or why it did not start. @throws {Interrupted} */
export async function startForPass(
  { contender, passLoad: { scenario, load }, timing }: PassServer,
  pass: SeparatePass,
): Promise<ServerProcess | string> {
  const request = {
    ...{ contender, scenario, timing, scenarioIndex: 0, block: 0, seed: 1 },
    workers: pass.workersOf(contender, scenario),
  };
  const started = await startContender(request, load, pass);
  if ("server" in started) return started.server;
  const reason = started.failure ?? started.unavailable ?? "it did not start";
  return withoutRoot(reason, pass.host.paths);
}
