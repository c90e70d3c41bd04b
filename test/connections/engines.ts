// Every way in which this machine serves connections: each engine over each backend that works.

import { engineFor } from "../../src/engines.ts";
import { availableBackends, type ConnectionOptions } from "../../src/index.ts";

type Way = Pick<ConnectionOptions, "engine" | "backend">;

const wanted: readonly (readonly [string, Way])[] = [
  ...availableBackends()
    .filter(({ available }) => available)
    .map(({ name }) => [`readiness over ${name}`, { engine: "readiness", backend: name }] as const),
  ["io_uring", { engine: "io_uring" }],
];

function refusalOf(way: Way): string | null {
  try {
    engineFor(way);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const refusals = new Map(wanted.map(([name, way]) => [name, refusalOf(way)]));

export const engines = wanted.filter(([name]) => refusals.get(name) === null);

/** What this machine forbids, with the reason. */
export const missingEngines = [...refusals].filter(([, refusal]) => refusal !== null);
