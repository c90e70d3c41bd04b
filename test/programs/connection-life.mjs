// One program per case of test/promises.test.ts that concerns a whole process: a full descriptor
// table, and what workers leave. The case and the engine are its arguments; its figures are JSON.

import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import * as io from "../../dist/src/index.js";

const [name, way] = [process.argv[2], JSON.parse(process.argv[3] ?? "{}")];
const cases = {
  "full-table": fullTable,
  "worker-terminate": () => endWorker("terminate"),
  "worker-exit": () => endWorker("exit"),
};

/** This process is server and clients, with few descriptors: its table fills by itself. */
async function fullTable() {
  const server = io.serve(way, { data: (connection, bytes) => void connection.write(bytes) });
  const { port } = server.address;
  const first = await io.connect({ ...way, port });
  await ask(first); // accepted, before the table is full
  const waiting = [];
  // Each takes one number here and wants one more from accept.
  for (;;) {
    try {
      waiting.push(io.connectTcp({ port }));
    } catch (error) {
      if (error.code !== "EMFILE") throw error;
      break;
    }
  }
  const before = process.cpuUsage();
  const startedMs = performance.now();
  await delay(300);
  const { user, system } = process.cpuUsage(before);
  const cpuShare = (user + system) / 1000 / (performance.now() - startedMs);
  const echoedWhileFull = (await ask(first)) === "hello";
  for (const fd of waiting) io.close(fd);
  const next = await io.connect({ ...way, port, timeoutMs: 20_000 });
  const acceptedAfter = (await ask(next)) === "hello";
  print({ echoedWhileFull, acceptedAfter, cpuShare });
  first.destroy();
  next.destroy();
  await server.close({ connections: "destroy" });
}

async function ask(connection) {
  return new Promise((resolve) => {
    connection.setHandlers({ data: (_c, bytes) => resolve(Buffer.from(bytes).toString()) });
    connection.resume();
    connection.write("hello");
  });
}

/** The second worker is compared with the first: what Node keeps after one is not ours. */
async function endWorker(how) {
  const first = await serveInWorker(how);
  const second = await serveInWorker(how);
  print({ left: second.after - first.after, refused: second.refused });
}

async function serveInWorker(how) {
  const worker = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
     import(workerData.library).then(async (io) => {
       const { way } = workerData;
       const server = io.serve(way, { data: (connection, bytes) => void connection.write(bytes) });
       const { port } = server.address;
       for (let i = 0; i < 3; i++) (await io.connect({ ...way, port })).write("x");
       io.toReadable(io.pipe()[0]).resume();
       new io.Reactor(new io.DefaultSelector()).run();
       io.connect({ ...way, host: "127.0.0.1", port: 1 }).catch(() => {});
       parentPort.on("message", () => process.exit());
       parentPort.postMessage(port);
     });`,
    {
      eval: true,
      workerData: { way, library: new URL("../../dist/src/index.js", import.meta.url).href },
    },
  );
  const [port] = await once(worker, "message");
  const exited = once(worker, "exit");
  if (how === "terminate") await worker.terminate();
  else worker.postMessage("end");
  await exited;
  const socket = connectSocket(port, "127.0.0.1");
  const refused = await new Promise((resolve) => {
    socket.on("error", (error) => resolve(error.code === "ECONNREFUSED"));
    socket.on("connect", () => resolve(false));
  });
  socket.destroy();
  await delay(10);
  return { after: readdirSync("/dev/fd").length, refused };
}

function print(figures) {
  process.stdout.write(JSON.stringify(figures));
}

await cases[name]();
