// ts:prefork: one Reactor per process, all of them listening on one port with SO_REUSEPORT
// (socket(7)), so that the kernel spreads the connections and each process has descriptors of its
// own. A worker that dies takes its connections along, and is replaced.

import { fork } from "node:child_process";
import { startArbiter } from "./arbiter.ts";
import { blockingArguments } from "./blocking.ts";
import type { Server, ServerRequest } from "./server.ts";

export function startPrefork(request: ServerRequest): Promise<Server> {
  const { counters, workers, port } = request;
  const further = blockingArguments(request.blocking);
  const [program = ""] = process.argv.slice(1);
  const start = (_index: number, workerPort: number) =>
    fork(program, ["ts:prefork", "--worker", "--port", String(workerPort), ...further]);
  return startArbiter({ workers, start, counters, port });
}
