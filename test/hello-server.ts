// The server of a repository that the gate's tests make: it answers "hello" over HTTP.

import type { ForeignServer } from "../bench/gate/foreign.ts";

type Load = Pick<ForeignServer, "connections" | "ratePerSecond" | "plantedPercent">;

/** @param script with the port as its first argument, and what follows as the others */
export function helloServer(script: string, load: Load): ForeignServer {
  return {
    name: "server",
    command: `'${process.execPath}' ${script}`,
    spoken: { protocol: "http", arguments: ["--protocol", "http", "--expect-body", "hello"] },
    readySeconds: 30,
    ...load,
  };
}
