// Every way in which this machine serves connections: each engine over each backend that works.

import { availableBackends, type ConnectionOptions, serve } from "../../src/index.ts";

type Way = Pick<ConnectionOptions, "engine" | "backend">;

const wanted: readonly (readonly [string, Way])[] = [
  ...availableBackends()
    .filter(({ available }) => available)
    .map(({ name }) => [`readiness over ${name}`, { engine: "readiness", backend: name }] as const),
  ["io_uring", { engine: "io_uring" }],
];

async function refusalOf(way: Way): Promise<string | null> {
  try {
    await serve({ port: 0, ...way }, {}).close();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const refusals = new Map<string, string | null>();
for (const [name, way] of wanted) refusals.set(name, await refusalOf(way));

export const engines = wanted.filter(([name]) => refusals.get(name) === null);

/** What this machine forbids, with the reason. */
export const missingEngines = [...refusals].filter(([, refusal]) => refusal !== null);
