// wrk against the HTTP example and against node:http with the same answer: what a request costs the
// server, by the rules of measurement.md. Linux, with wrk installed, after `npm run build`.
//
//   node docs/compare-http.mjs --blocks 10 --seconds 3

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { chooseCpus } from "../dist/bench/host/cpus.js";
import { packagePaths } from "../dist/bench/paths.js";
import { limits } from "../dist/bench/run/window-gate.js";
import { blockOrders } from "../dist/bench/statistics/latin.js";
import { median } from "../dist/bench/statistics/quantile.js";
import { ratioToReference } from "../dist/bench/statistics/ratio.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    blocks: { type: "string", default: "10" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "64" },
    seed: { type: "string", default: "1" },
  },
});
const [blocks, seconds, connections, seed] = ["blocks", "seconds", "connections", "seed"].map(
  (name) => Number(values[name]),
);
const dispatchNs = 1000;
const paths = packagePaths(import.meta.url);
const cpus = chooseCpus();
const softirqThread = findSoftirqThread(cpus.server);
const reference = "node:http";
const commands = {
  "06-http-hello": [join(paths.root, "dist", "examples", "06-http-hello.js")],
  [reference]: [join(paths.root, "docs", "compare-http.mjs"), "serve"],
};

if (positionals[0] === "serve") serve();
else await compare();

/** The same status and body by node:http, without its Date header. */
function serve() {
  const server = createServer((_request, response) => {
    response.sendDate = false;
    response.writeHead(200, { "Content-Length": 14 });
    response.end("Hello, world!\n");
  });
  server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
  process.once("SIGTERM", () => process.exit());
}

async function compare() {
  const orders = blockOrders(Object.keys(commands), blocks, seed);
  const counted = [];
  for (const [i, order] of orders.entries()) {
    const block = {};
    for (const name of order) block[name] = await round(commands[name]);
    const reason = Object.values(block).map(disturbance).find(Boolean);
    console.error(`block ${i + 1} of ${blocks}${reason ? ` is discarded: ${reason}` : ""}`);
    if (reason === undefined) counted.push(block);
  }
  report(counted);
}

/** One server, alone on its CPU: a second to warm up, then what is measured. */
async function round(command) {
  const server = launch(cpus.server, process.execPath, ...command);
  const ended = once(server, "exit");
  try {
    const [line] = await once(server.stdout, "data");
    const url = String(line).trim();
    await wrk(url, 1);
    const look = () => ({
      ...cpuOf(server.pid),
      stolenNs: stolenNs(),
      softirqNs: softirqThread === undefined ? 0 : (cpuOf(softirqThread)?.onCpuNs ?? 0),
      atMs: performance.now(),
    });
    const before = look();
    const load = await wrk(url, seconds);
    const after = look();
    const ns = (after.atMs - before.atMs) * 1e6;
    return {
      microseconds: (after.onCpuNs - before.onCpuNs) / 1000 / load.requests,
      perSecond: load.requests / seconds,
      serverShare: (after.onCpuNs - before.onCpuNs) / ns,
      waitedShare: (after.waitedNs - before.waitedNs - (after.softirqNs - before.softirqNs)) / ns,
      stolenShare: (after.stolenNs - before.stolenNs) / ns,
      clientShare: load.clientShare,
      errors: load.errors,
    };
  } finally {
    server.kill("SIGTERM");
    await ended;
  }
}

async function wrk(url, duration) {
  const args = ["--threads", "1", "--connections", String(connections)];
  const client = launch(cpus.client, "wrk", ...args, "--duration", String(duration), url);
  const output = text(client.stdout);
  const ended = once(client, "exit");
  const startedMs = performance.now();
  let spent = cpuOf(client.pid) ?? { onCpuNs: 0 };
  while (client.exitCode === null && performance.now() - startedMs < (duration + 30) * 1000) {
    spent = cpuOf(client.pid) ?? spent;
    await delay(50);
  }
  await ended;
  const said = await output;
  const requests = Number(/(\d+) requests in/.exec(said)?.[1]);
  if (!(requests > 0)) throw new Error(`wrk said: ${said}`);
  const clientShare = spent.onCpuNs / (duration * 1e9);
  return { requests, clientShare, errors: /Socket errors.*|Non-2xx.*/.exec(said)?.[0] };
}

/** Pinned, and killed when this process ends. */
function launch(cpu, ...command) {
  const pin = cpu === null ? [] : ["--cpu", String(cpu)];
  const args = ["launch", ...pin, "--parent", String(process.pid), "--", ...command];
  return spawn(paths.loadGenerator, args, { stdio: ["ignore", "pipe", "inherit"] });
}

/**
 * The time that all threads of a process had on a CPU, and that others had it while its main thread
 * wanted it: no others are the process's own threads, and a microsecond goes by each time that it
 * is given a free CPU. proc_pid_schedstat(5)
 */
function cpuOf(pid) {
  let [onCpuNs, wantedNs] = [0, 0];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const file = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8");
      const [onNs, waitedNs, times] = file.split(" ").map(Number);
      onCpuNs += onNs;
      if (Number(task) === pid) wantedNs = onNs + waitedNs - dispatchNs * times;
    }
  } catch {
    return undefined; // it has ended
  }
  return { onCpuNs, waitedNs: wantedNs - onCpuNs };
}

/** The kernel's thread that does what it put off on that CPU: mostly the server's own packets. */
function findSoftirqThread(cpu) {
  const isIt = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8") === `ksoftirqd/${cpu}\n`;
    } catch {
      return false; // it has ended
    }
  };
  const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && isIt(name));
  return pid === undefined ? undefined : Number(pid);
}

/** Of all CPUs, in ticks of a hundredth of a second. proc_stat(5) */
function stolenNs() {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  return Number(line.trim().split(/\s+/)[8] ?? 0) * 1e7;
}

function disturbance({ waitedShare, stolenShare, errors }) {
  if (errors !== undefined) return errors;
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  if (waitedShare > limits.runQueueShare)
    return `the server waited for its CPU, ${percent(waitedShare)}`;
  if (stolenShare > limits.stealShare)
    return `the hypervisor took CPU time, ${percent(stolenShare)}`;
  return undefined;
}

function report(counted) {
  console.log(`${connections} connections, ${blocks} blocks of ${seconds} s, seed ${seed}; `);
  console.log(`${blocks - counted.length} discarded. Node ${process.version}.\n`);
  if (counted.length === 0) return console.log("Inconclusive: all blocks were discarded.");
  console.log(
    "| server | CPU, µs per request | ratio to node:http | requests/s | CPU % | wrk's CPU % |",
  );
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const name of Object.keys(commands)) {
    const of = (what) => median(counted.map((block) => block[name][what]));
    const pairs = counted.map((block) => ({
      value: block[name].microseconds,
      reference: block[reference].microseconds,
    }));
    const cells = [
      `\`${name}\``,
      of("microseconds").toFixed(2),
      name === reference ? "reference" : ratioText(ratioToReference(pairs, { seed })),
      // If wrk was saturated, or the server was not, this is a lower bound.
      `${of("serverShare") < limits.fullShare ? "at least " : ""}${Math.round(of("perSecond"))}`,
      Math.round(of("serverShare") * 100),
      Math.round(of("clientShare") * 100),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

function ratioText({ median: middle, low, high, comparison }) {
  const interval = low === null ? "" : ` (${low.toFixed(2)}–${high.toFixed(2)})`;
  return `${middle.toFixed(2)}${interval}${comparison === "tie" ? ", a tie" : ""}`;
}
