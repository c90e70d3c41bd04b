// Whether the suite's figures are true, on the machine at hand: a server against itself, servers
// with a planted cost or delay, a client that shares nothing with the suite, and strace. It takes
// minutes to an hour and needs a quiet machine, so it is no part of the tests. `aa` and `planted`
// keep each run in a folder and continue after an interruption. First: npm run build
//
//   node test/truth/check.mjs aa --runs 30 [--neighbour 30] [--out DIR]
//   node test/truth/check.mjs planted --runs 10 [--percent 5] [--blocks 20] [--out DIR]
//   node test/truth/check.mjs delays [--rounds 3]
//   node test/truth/check.mjs client [--contenders A,B] [--connections 1000] [--rate 10000]
//                                    [--rounds 5] [--bound 10]
//   node test/truth/check.mjs capacity [--contenders A,B] [--connections 1000] [--rounds 5]
//   node test/truth/check.mjs http [--connections 1000] [--rounds 3] [--bound 15] [--out DIR]
//   node test/truth/check.mjs redis [--connections 50] [--rounds 3] [--bound 15]
//   node test/truth/check.mjs calls [--contenders A,B] [--connections 100,10000]

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { contenders, reference } from "../../dist/bench/contenders/catalogue.js";
import { LocalHost } from "../../dist/bench/host/local.js";
import { countedCalls } from "../../dist/bench/model/call-counts.js";
import { countCalls } from "../../dist/bench/run/call-counts.js";
import { makePlan } from "../../dist/bench/run/plan.js";
import { profiles } from "../../dist/bench/run/profiles.js";
import { run } from "../../dist/bench/run/run.js";
import { passLoadOf } from "../../dist/bench/run/separate-pass.js";
import { decodeHistogram } from "../../dist/bench/statistics/hdr-encoding.js";
import { startNeighbour } from "../programs/neighbour.mjs";
import { againstRedisBenchmark, againstWrk } from "./closed-loop.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const text = { type: "string" };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...{ runs: text, neighbour: text, out: text, percent: text, blocks: text },
    ...{ connections: text, rate: text, contenders: text, rounds: text, bound: text },
  },
});
const number = (name, usual) => Number(values[name] ?? usual);
const list = (name, usual) => values[name]?.split(",") ?? usual;
const base = contenders.find(({ name }) => name === reference);
const host = new LocalHost();

const nothingAsked = {
  ...{ profile: null, workloads: null, contenders: null, connections: null, rate: null },
  ...{ payload: null, duration: null, steady: null, blocks: null, budget: null, seed: null },
  out: null,
};

const planOf = (asked, catalogue = contenders) =>
  makePlan({ ...nothingAsked, ...asked }, catalogue);

async function measure(asked, catalogue, on = host) {
  const plan = planOf(asked, catalogue);
  return await run(plan, {
    host: on,
    cpus: await on.cpus(),
    signal: new AbortController().signal,
    environment: await on.environment(),
    machine: await on.limits(),
    onProgress: () => {},
  });
}

async function neighbourOf(percent) {
  if (percent === 0) return { kill: () => {} };
  const { server } = await host.cpus();
  return startNeighbour(percent, server);
}

/** The runs of a folder: those that are there, then those that are missing. */
async function eachRun(name, once) {
  const out = values.out ?? here(`../../reports/truth-${name}`);
  mkdirSync(out, { recursive: true });
  const { percent, blocks, neighbour } = values;
  const commit = String(execFileSync("git", ["rev-parse", "HEAD"], { cwd: here(".") })).trim();
  const of = JSON.stringify({ name, percent, blocks, neighbour, commit });
  const head = join(out, "of.json");
  const before = existsSync(head) ? readFileSync(head, "utf8") : of;
  if (before !== of) throw new Error(`${out} has runs of ${before}; remove it, or name an --out`);
  writeFileSync(head, of);
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
    neighbour.kill();
  }
}

/** A server that spends so many per cent more: quick's load, the two of them, more blocks. */
async function planted() {
  const library = compiled("planted-cpu.c", "planted-cpu.so", ["-shared", "-fPIC"]);
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

/** A line with the verdict; one that does not hold makes the exit code 1. */
function verdict(holds, bound, words) {
  console.log(`${words}: ${holds ? "within" : "NOT within"} ${bound}`);
  if (!holds) process.exitCode = 1;
}

const medianOf = (figures) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)];

/** With a larger p99 of the sender delay, messages leave in bursts or wait for the sender. */
const busyUs = 1000;
const tooBusy = "the machine is too busy: every sender sent late; stop other programs";

/** Starts a program on a CPU. @returns it and its first line, parsed. */
async function firstLineOf(cpu, argv) {
  const child = spawn("taskset", ["-c", String(cpu), ...argv], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { child, told: JSON.parse(line) };
}

/** CPU per message of a fresh server under the client that shares nothing with the suite. */
async function underOtherClient({ command }, { connections, rate }) {
  const { server, client, clientAlone } = await host.cpus();
  const { child, told } = await firstLineOf(server, command(host.paths, 1));
  try {
    // As the suite's generator sends: spinning if it has a core of its own, otherwise by the tick.
    const tickUs = clientAlone ? 0 : 1000;
    const load = [told.port, told.pid, connections, rate, 3, tickUs, 3].map(String);
    const argv = ["-c", String(client), "python3", here("open-loop.py"), ...load];
    return JSON.parse(String(execFileSync("taskset", argv)));
  } finally {
    child.kill("SIGTERM");
  }
}

/** Each server under the other client and under the suite in turn, at the same load. */
async function otherClient() {
  const [connections, rate] = [number("connections", 1000), number("rate", 10_000)];
  const named = list("contenders", [reference]);
  const asked = { contenders: named, connections: [connections], rate, blocks: 1, duration: 2 };
  const isNamed = ({ name }) => named.includes(name) || name.startsWith("peer:");
  for (const row of planOf(asked).contenders.filter(isNamed)) {
    const { name } = row;
    if (row.concurrency === "process" || row.concurrency === "prefork") {
      throw new Error(`${name}: the other client reads the CPU time of one process only`);
    }
    const missing = row.missing?.(host.paths) ?? row.prepare?.(host.paths) ?? null;
    if (missing !== null) throw new Error(`${name}: ${missing}`);
    const ratios = [];
    for (let seed = 1; seed <= number("rounds", 5); seed++) {
      const theirs = await underOtherClient(row, { connections, rate });
      const { cells } = await measure({ ...asked, contenders: [name], seed });
      const cell = cells.find(({ contender }) => contender === name);
      const ours = cell.metrics.serverCpuPerMessage.median;
      const busy = theirs.senderDelayUsP99 > busyUs;
      if (!busy) ratios.push(theirs.cpuUsPerMessage / ours);
      console.log(
        `${name}: the other client ${theirs.cpuUsPerMessage.toFixed(2)} µs (its sender delay, ` +
          `p99: ${theirs.senderDelayUsP99.toFixed(0)} µs), the suite ${ours.toFixed(2)} µs` +
          `${busy ? "; discarded, the client sent late" : ""}`,
      );
    }
    if (ratios.length === 0) throw new Error(`${name}: ${tooBusy}`);
    const ratio = medianOf(ratios);
    const bound = number("bound", 10);
    const words = `${name}: the median ratio is ${ratio.toFixed(3)}`;
    verdict(Math.abs(ratio - 1) <= bound / 100, `${bound} %`, words);
  }
}

const quantiles = [0.5, 0.99];

/** Compiles a C program of this folder. @returns its path. */
function compiled(source, name, flags = []) {
  const program = join(host.paths.root, "build", name);
  execFileSync("cc", ["-O2", ...flags, "-o", program, here(source), "-ldl"], { stdio: "inherit" });
  return program;
}

/**
 * A server that echoes each message `delayMs` after it came, under the suite's load.
 * @returns p50 and p99 from due, and those that the server planted by its own account,
 * milliseconds; null if the spinning sender was late.
 */
async function latenciesOf(program, delayMs) {
  const { server, client } = await host.cpus();
  const { child, told } = await firstLineOf(server, [program, String(delayMs * 1000)]);
  try {
    const load = ["--port", told.port, "--connections", 64, "--rate", 400, "--warmup-ms", 0];
    const timing = ["--windows", 1, "--window-ms", 8000, "--spin", 1, "--tick-us", 0];
    const argv = ["-c", client, host.paths.loadGenerator, "run", ...load, ...timing].map(String);
    const lines = String(execFileSync("taskset", argv)).trim().split("\n");
    const window = lines.map((line) => JSON.parse(line)).find(({ event }) => event === "window");
    const delay = decodeHistogram(window.senderDelay);
    if (delay.quantile(0.99) > busyUs * 1000) return null;
    const latency = decodeHistogram(window.latency);
    const ended = new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    const { p50Us, p99Us } = JSON.parse(String(await ended));
    const shown = quantiles.map((share) => latency.quantile(share) / 1e6);
    return { shown, planted: [p50Us / 1000, p99Us / 1000] };
  } finally {
    child.kill("SIGTERM");
  }
}

/** Delays that a server plants show in p50 and p99. */
async function delays() {
  const program = compiled("delayed-echo.c", "delayed-echo");
  for (const delayMs of [1, 5]) {
    const rounds = [];
    for (let round = 1; round <= number("rounds", 3); round++) {
      const found = await latenciesOf(program, delayMs);
      if (found !== null) rounds.push(found);
      const said = found?.shown.map(
        (ms, i) => `${ms.toFixed(3)} of ${found.planted[i].toFixed(3)}`,
      );
      console.log(`${delayMs} ms: ${said?.join(" and ") ?? "discarded, the sender was late"}`);
    }
    if (rounds.length === 0) throw new Error(tooBusy);
    for (const [index, share] of quantiles.entries()) {
      const ratio = medianOf(rounds.map(({ shown, planted }) => shown[index] / planted[index]));
      const words = `planted ${delayMs} ms: p${share * 100} is ${ratio.toFixed(3)} of it`;
      verdict(Math.abs(ratio - 1) <= 0.1, "10 %", words);
    }
  }
}

/** Each native contender by its own counters and by strace, call by call and in sum. */
async function calls() {
  const native = contenders.filter(({ runtime }) => runtime === "cpp");
  // A server that polls makes calls without a message, also before and after strace counts.
  const named = list("contenders", null);
  const unknown = named?.filter((name) => !native.some((row) => row.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`no native contender: ${unknown.join()}`);
  const counted = native.filter(
    ({ name, burnsWhileIdle }) => named?.includes(name) ?? burnsWhileIdle !== true,
  );
  for (const connections of list("connections", ["100", "10000"]).map(Number)) {
    for (const row of counted) await compareCalls(row, connections);
  }
}

async function compareCalls(row, connections) {
  const plan = planOf({ contenders: [row.name], connections: [connections], rate: 20_000 });
  const { counts, own } = await countCalls(row, passLoadOf(plan), {
    ...{ host, cpus: await host.cpus(), signal: new AbortController().signal },
    workersOf: () => 1,
  });
  const words = `${row.name} at ${connections} connections`;
  if (counts.reason !== null || own === null) {
    return verdict(false, "1 %", `${words}: ${counts.reason ?? "it does not count"}`);
  }
  const rows = Object.entries(countedCalls).map(([field, names]) => ({
    field,
    ours: own[field] ?? 0,
    traced: names.reduce((sum, name) => sum + (counts.calls[name] ?? 0), 0),
  }));
  const all = Object.values(counts.calls).reduce((sum, number) => sum + number, 0);
  rows.push({ field: "all", ours: rows.reduce((sum, { ours }) => sum + ours, 0), traced: all });
  // A wait or two that attaching and detaching interrupt are no part of a message.
  const agree = ({ ours, traced }) => Math.abs(ours - traced) <= Math.max(4, 0.01 * traced);
  const per = (number) => (number / counts.messages).toFixed(3);
  const said = rows.map(({ field, ours, traced }) => `${field} ${per(ours)}/${per(traced)}`);
  verdict(rows.every(agree), "1 %", `${words}: ${counts.messages} messages, ${said.join(", ")}`);
}

/**
 * Messages per second of the server's CPU time, of a server that has 40 % of its CPU, against the
 * same server with all of it. Only a server that is full before the load generator is has both.
 */
async function capacity() {
  const whole = new LocalHost();
  whole.cpuShare = () => null;
  const asked = { workloads: ["echo-capacity"], connections: [number("connections", 1000)] };
  for (const name of list("contenders", ["node:net", "cpp:thread-per-connection"])) {
    const ratios = [];
    for (let seed = 1; seed <= number("rounds", 5); seed++) {
      const one = { ...asked, contenders: [name], blocks: 3, seed };
      const figures = [];
      for (const on of [host, whole]) {
        const cell = (await measure(one, contenders, on)).cells.find(
          ({ contender }) => contender === name,
        );
        figures.push(cell.metrics.messagesPerCpuSecond?.median ?? null);
      }
      const [part, all] = figures;
      const known = part !== null && all !== null;
      if (known) ratios.push(part / all);
      console.log(
        `${name}: with a part of its CPU ${part?.toFixed(0)}, with all ${all?.toFixed(0)}`,
      );
    }
    if (ratios.length === 0)
      throw new Error(`${name}: the load generator was full first, or noise`);
    const ratio = medianOf(ratios);
    verdict(Math.abs(ratio - 1) <= 0.05, "5 %", `${name}: the median ratio is ${ratio.toFixed(3)}`);
  }
}

const closedLoop = (connections) => ({
  ...{ host, verdict, connections: number("connections", connections) },
  ...{ rounds: number("rounds", 3), bound: number("bound", 15) },
  out: values.out ?? here("../../reports/truth-http"),
});
const checks = {
  ...{ aa: againstItself, planted, delays, client: otherClient, calls, capacity },
  http: () => againstWrk(closedLoop(1000)),
  redis: () => againstRedisBenchmark(closedLoop(50)),
};
const check = checks[positionals[0] ?? ""];
if (check === undefined) throw new Error(`one of: ${Object.keys(checks).join(", ")}`);
await check();
