// A server that hashes passwords, which takes 50 ms or more each, in a pool of workers. While its
// password is hashed a connection pauses, so its answers keep their order; all others are served.
//
//   npm run build && node dist/examples/17-offload-to-workers.js 7000   # and: nc 127.0.0.1 7000

import { scryptSync } from "node:crypto";
import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { type Connection, lines, serve } from "../src/index.ts";

type Job = readonly [connection: Connection, line: string];

const hash = (password: string) =>
  scryptSync(password, "salt", 32, { N: 2 ** 15, maxmem: 2 ** 26 }).toString("hex");

if (isMainThread) main();
else parentPort?.on("message", (line: string) => parentPort?.postMessage(hash(line)));

function main(): void {
  const waiting: Job[] = [];
  const idle = Array.from({ length: availableParallelism() }, startWorker);
  const running = new Map<Worker, Job>();

  function startWorker(): Worker {
    const worker = new Worker(new URL(import.meta.url));
    worker.on("message", (answer: string) => {
      const [connection] = running.get(worker) ?? [];
      idle.push(worker);
      startNext();
      connection?.write(`${answer}\n`); // discarded if the peer has gone
      connection?.resume();
    });
    return worker; // an 'error' event of a worker is not handled: it ends this program
  }

  function startNext(): void {
    while (waiting[0]?.[0].closed) waiting.shift(); // its peer has gone
    if (waiting.length === 0 || idle.length === 0) return;
    const [job, worker] = [waiting.shift() as Job, idle.pop() as Worker];
    running.set(worker, job);
    worker.postMessage(job[1]);
  }

  function onLine(connection: Connection, line: string): void {
    if (line === "ping") return void connection.write("pong\n"); // does not block: answered here
    connection.pause(); // later lines of this connection wait
    waiting.push([connection, line]);
    startNext();
  }

  const server = serve({ port: Number(process.argv[2] ?? 0) }, lines({ longest: 1024, onLine }));
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, async () => {
      await server.close({ connections: "destroy" });
      for (const worker of [...idle, ...running.keys()]) await worker.terminate();
    });
  }
  console.log(`hashing on port ${server.address?.port}`);
}
