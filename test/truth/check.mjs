// Whether the suite's answers are true, on the machine at hand: a server against itself, a server
// with a planted cost, and a client that is not ours. Each run is kept in a folder, so that what
// was interrupted goes on. It takes minutes to an hour and a quiet machine: no part of the tests.
//
//   node test/truth/check.mjs aa --runs 30 [--neighbour 30] [--out DIR]
//   node test/truth/check.mjs planted --runs 10 [--percent 5] [--blocks 20] [--out DIR]
//   node test/truth/check.mjs delays
//   node test/truth/check.mjs client [--connections 1000] [--rate 10000]

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { contenders, reference } from "../../dist/bench/contenders/catalogue.js";
import { LocalHost } from "../../dist/bench/host/local.js";
import { makePlan } from "../../dist/bench/run/plan.js";
import { profiles } from "../../dist/bench/run/profiles.js";
import { run } from "../../dist/bench/run/run.js";
import { decodeHistogram } from "../../dist/bench/statistics/hdr-encoding.js";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const text = { type: "string" };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ runs: text, neighbour: text, out: text, percent: text, blocks: text },
    ...{ connections: text, rate: text },
  },
});
const number = (name, usual) => Number(values[name] ?? usual);
const base = contenders.find(({ name }) => name === reference);
const host = new LocalHost();

const nothingAsked = {
  ...{ profile: null, workloads: null, contenders: null, connections: null, rate: null },
  ...{ payload: null, duration: null, steady: null, blocks: null, budget: null, seed: null },
  out: null,
};

async function measure(asked, catalogue) {
  const plan = makePlan({ ...nothingAsked, ...asked }, catalogue);
  return await run(plan, {
    host,
    cpus: await host.cpus(),
    signal: new AbortController().signal,
    environment: await host.environment(),
    machine: await host.limits(),
    onProgress: () => {},
  });
}

/** Takes a share of the server's CPU, in slices of 10 ms, until it is killed or we are gone. */
async function neighbourOf(percent) {
  if (percent === 0) return { kill: () => {} };
  const { server } = await host.cpus();
  const loop =
    `const idle = new Int32Array(new SharedArrayBuffer(4));` +
    `while (process.ppid === ${process.pid}) { const end = performance.now() + ${percent / 10};` +
    ` while (performance.now() < end); Atomics.wait(idle, 0, 0, ${10 - percent / 10}); }`;
  return spawn("taskset", ["-c", String(server), process.execPath, "-e", loop], {
    stdio: "ignore",
  });
}

/** The runs of a folder: those that are there, then those that are missing. */
async function eachRun(name, once) {
  const out = values.out ?? here(`../../reports/truth-${name}`);
  mkdirSync(out, { recursive: true });
  const results = [];
  for (let index = 1; index <= number("runs", 1); index++) {
    const path = join(out, `${String(index).padStart(2, "0")}.json`);
    if (!existsSync(path)) {
      const startedMs = performance.now();
      const found = await once(index);
      const seconds = (performance.now() - startedMs) / 1000;
      writeFileSync(path, JSON.stringify({ ...found, seconds, timeline: undefined }));
    }
    results.push(JSON.parse(readFileSync(path, "utf8")));
    tell(index, results.at(-1));
  }
  return results;
}

const figuresOf = ({ cells }) => cells.find(({ contender }) => contender === "again");

function halfWidthOf(cell) {
  const { median, low, high } = cell?.metrics.ratioToReference ?? {};
  return low == null ? null : (high - low) / 2 / median;
}

function tell(index, results) {
  const cell = figuresOf(results);
  const { median = null, low, high } = cell?.metrics.ratioToReference ?? {};
  const missing = results.cells.filter((each) => !each.metrics.serverCpuPerMessage?.median);
  const shown = median === null ? "no ratio" : `${[median, low, high].map((v) => v?.toFixed(3))}`;
  const { grade = "none" } = cell?.confidence ?? {};
  console.log(
    `${index}: ${shown} ${cell?.status} ${grade}, ${cell?.blocks} blocks ` +
      `(${cell?.disturbedBlocks} disturbed), ${results.seconds.toFixed(0)} s, ` +
      `without a figure: ${missing.map(({ contender }) => contender).join() || "none"}`,
  );
}

function tally(results, bound) {
  const halves = results.map(figuresOf).map(halfWidthOf);
  const narrow = halves.filter((half) => half !== null && half <= bound).length;
  const apart = results.filter((each) => figuresOf(each)?.status === "ok").length;
  console.log(`half-width of ${bound * 100} % or less: ${narrow} of ${results.length}`);
  console.log(`ranked apart: ${apart} of ${results.length}`);
}

/** Equal servers: quick with the reference once more under another name. */
async function againstItself() {
  const neighbour = await neighbourOf(number("neighbour", 0));
  try {
    const [quick] = profiles;
    const again = { ...base, name: "again" };
    const asked = { contenders: [...quick.contenders, "again"], budget: quick.budgetSeconds };
    const name = number("neighbour", 0) === 0 ? "aa" : "aa-neighbour";
    const once = (seed) => measure({ ...asked, seed }, [...contenders, again]);
    tally(await eachRun(name, once), number("neighbour", 0) === 0 ? 0.04 : 0.08);
  } finally {
    neighbour.kill("SIGKILL");
  }
}

/** A server that spends so many per cent more: quick's load, the two of them, more blocks. */
async function planted() {
  const library = join(host.paths.root, "build", "planted-cpu.so");
  const flags = ["-O2", "-shared", "-fPIC", "-o", library, here("planted-cpu.c"), "-ldl"];
  execFileSync("cc", flags, { stdio: "inherit" });
  const first = await measure({ contenders: [reference], blocks: 2 }, contenders);
  const costUs = first.cells[0].metrics.serverCpuPerMessage.median;
  const ns = Math.round((costUs * 1000 * number("percent", 5)) / 100);
  console.log(`${reference}: ${costUs.toFixed(2)} µs per message; planted: ${ns} ns`);
  const env = ["env", `LD_PRELOAD=${library}`, `PLANTED_NS=${ns}`];
  const command = (paths, workers) => [...env, ...base.command(paths, workers)];
  const again = { ...base, name: "again", command };
  const asked = { contenders: ["again"], blocks: number("blocks", 20) };
  tally(await eachRun("planted", (seed) => measure({ ...asked, seed }, [...contenders, again])), 1);
}

/** The reference under the client that is not ours, then under the suite, at the same load. */
async function otherClient() {
  const [connections, rate] = [number("connections", 1000), number("rate", 10_000)];
  const { server: cpu } = await host.cpus();
  const argv = base.command(host.paths, 1);
  const child = spawn("taskset", ["-c", String(cpu), ...argv], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const line = await new Promise((resolve) => child.stdout.once("data", resolve));
    const { port, pid } = JSON.parse(String(line).split("\n")[0]);
    const script = here("open-loop.py");
    const load = [script, port, pid, connections, rate, 20].map(String);
    const { client } = await host.cpus();
    const told = execFileSync("taskset", ["-c", String(client), "python3", ...load]);
    const theirs = JSON.parse(String(told)).cpuUsPerMessage;
    const asked = { contenders: [reference], connections: [connections], rate, blocks: 4 };
    const { cells } = await measure(asked, contenders);
    const ours = cells[0].metrics.serverCpuPerMessage.median;
    console.log(`other client: ${theirs} µs; the suite: ${ours} µs; ratio ${theirs / ours}`);
  } finally {
    child.kill("SIGTERM");
  }
}

/** Echoes each message `delayMs` after it came, by its own clock; tells its port. */
const delayedEcho = (delayMs) =>
  `const server = require("node:net").createServer({ noDelay: true }, (socket) => {` +
  ` socket.on("error", () => {}); socket.on("data", (data) => {` +
  ` const end = performance.now() + ${delayMs}; const answer = () =>` +
  ` performance.now() < end ? setImmediate(answer) : socket.write(data); answer(); }); });` +
  ` server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;

/** Delays that a server plants, under the spinning sender: p50 and p99 within 10 %. */
async function delays() {
  const { server: cpu, client } = await host.cpus();
  for (const delayMs of [1, 5]) {
    const argv = ["-c", String(cpu), process.execPath, "-e", delayedEcho(delayMs)];
    const child = spawn("taskset", argv, { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const port = Number(await new Promise((resolve) => child.stdout.once("data", resolve)));
      const load = ["run", "--port", port, "--connections", 8, "--rate", 50, "--depth", 1];
      const timing = ["--windows", 1, "--window-ms", 10_000, "--spin", 1, "--tick-us", 0];
      const all = ["-c", client, host.paths.loadGenerator, ...load, ...timing].map(String);
      const lines = String(execFileSync("taskset", all))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const window = lines.find(({ event }) => event === "window");
      const latency = decodeHistogram(window.latencyUncorrected);
      for (const share of [0.5, 0.99]) {
        const ratio = latency.quantile(share) / (delayMs * 1e6);
        const told = Math.abs(ratio - 1) <= 0.1 ? "within 10 %" : "NOT within 10 %";
        console.log(`planted ${delayMs} ms: p${share * 100} is ${ratio.toFixed(3)} of it, ${told}`);
        if (told.startsWith("NOT")) process.exitCode = 1;
      }
    } finally {
      child.kill("SIGTERM");
    }
  }
}

const checks = { aa: againstItself, planted, delays, client: otherClient };
const check = checks[positionals[0] ?? ""];
if (check === undefined) throw new Error(`one of: ${Object.keys(checks).join(", ")}`);
await check();
