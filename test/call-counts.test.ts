// --count-calls: what strace prints is read; reports show it; a machine that forbids it is refused
// before anything starts; and real passes with strace, held against what the suite's servers count
// themselves.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { LocalHost } from "../bench/host/local.ts";
import { CallTrace, parseSummary, straceProblem, traceProblem } from "../bench/host/strace.ts";
import { type CallCounts, countedCalls } from "../bench/model/call-counts.ts";
import type { Results } from "../bench/model/results.ts";
import { callSentence, countedCells } from "../bench/report/call-words.ts";
import { parseResults, serializeResults } from "../bench/report/json.ts";
import { countCalls } from "../bench/run/call-counts.ts";
import type { RunRequest } from "../bench/run/options.ts";
import { makePlan } from "../bench/run/plan.ts";
import { passLoadOf } from "../bench/run/separate-pass.ts";
import { eventually } from "./eventually.ts";
import { requestOf } from "./live-data.ts";
import { inventedResults } from "./report-data.ts";
import { renderHtml, renderMarkdown, renderTerminal } from "./report-words.ts";

describe("what strace -c prints", () => {
  it("is read with and without errors, the total left out", () => {
    const text = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 61.70    0.020100           6      3000           sendto
 30.06    0.009790           3      3004         4 recvfrom
  8.24    0.002684           2      1210           epoll_wait
------ ----------- ----------- --------- --------- ----------------
100.00    0.032574           4      7214         4 total
`;
    expect(parseSummary(text)).toEqual({ sendto: 3000, recvfrom: 3004, epoll_wait: 1210 });
  });

  it("is nothing if there was no call", () => {
    expect(parseSummary("")).toEqual({});
  });
});

describe("a machine without strace, or that forbids it", () => {
  const ended = { code: 1, signal: null, error: null };

  it("is told how to install and how to allow it", () => {
    const missing = traceProblem({ ...ended, error: "spawn strace ENOENT" }, "", () => null);
    expect(missing).toMatch(/^strace is not installed; install it: apt-get install strace/);
    const refused = "strace: attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted";
    expect(traceProblem(ended, refused, () => "1")).toMatch(
      /^kernel\.yama\.ptrace_scope is 1.*sudo sysctl kernel\.yama\.ptrace_scope=0/,
    );
    expect(traceProblem(ended, refused, () => null)).toBe(`strace exited with code 1: ${refused}`);
  });

  it("ends before anything starts, with one line and 2", () => {
    const cli = join(import.meta.dirname, "../bin/io-selectors.js");
    const env = { ...process.env, PATH: "/nowhere" };
    const argv = [cli, "bench", "--count-calls", "--connections", "10"];
    const { status, stderr, stdout } = spawnSync(process.execPath, argv, { env, encoding: "utf8" });
    expect(stderr).toMatch(/^bench: --count-calls: strace is not installed; [^\n]+\n$/);
    expect([status, stdout]).toEqual([2, ""]);
  });
});

const counted = (name: string, callCounts: CallCounts): Results => {
  const invented = inventedResults();
  const cells = invented.cells.map((cell) =>
    cell.contender === name ? { ...cell, callCounts } : cell,
  );
  return { ...invented, cells };
};

describe("the reports of counted calls", () => {
  const calls = { epoll_wait: 930, recvfrom: 1000, sendto: 1000, futex: 3, munmap: 4 };
  const counts = { reason: null, ratePerSecond: 1500, messages: 1000, calls };
  const results = counted("node:net", counts);

  it("are of results.json as it was read, and results without counts stay as they were", () => {
    expect(parseResults(serializeResults(results), "results.json")).toEqual(results);
    for (const text of [renderHtml(inventedResults()), renderMarkdown(inventedResults())]) {
      expect(text).not.toContain("System calls by name");
    }
  });

  it("hold the calls per message, the rare ones together", () => {
    const [cell] = countedCells(results);
    expect(cell && callSentence(cell)).toBe(
      "recvfrom 1.00, sendto 1.00, epoll_wait 0.930 and others 0.00700 per message",
    );
    expect(renderMarkdown(results)).toContain(
      "| contender | recvfrom | sendto | epoll_wait | others | all | messages |",
    );
    expect(renderMarkdown(results)).toContain(
      "| node:net | 1.00 | 1.00 | 0.930 | 0.00700 | 2.94 | 1,000 |",
    );
    const page = renderHtml(results);
    expect(page).toContain("System calls by name");
    expect(page).toContain("1,500 messages/s");
    const screen = renderTerminal(results, { colour: false, width: 80 });
    expect(screen).toContain("node:net: recvfrom 1.00, sendto 1.00");
    for (const line of screen.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it("name the reason if nothing was counted", () => {
    const none = { reason: "it did not start", ratePerSecond: null, messages: 0, calls: {} };
    const without = counted("node:net", none);
    for (const render of [renderHtml, renderMarkdown]) {
      expect(render(without)).toContain("not counted: it did not start");
    }
  });
});

const host = new LocalHost();
const problem = await straceProblem(host);

/** The pass over one contender, without a run. */
async function countOf(name: string, asked: Partial<RunRequest>) {
  const plan = makePlan(requestOf({ ...asked, contenders: [name] }));
  const contender = plan.contenders.find((one) => one.name === name);
  const passLoad = passLoadOf(plan);
  if (contender === undefined || passLoad === null) throw new Error(`no load for ${name}`);
  return await countCalls(contender, passLoad, {
    ...{ host, cpus: await host.cpus(), signal: new AbortController().signal },
    ...{ workersOf: () => 2, onContender: () => {} },
  });
}

describe.skipIf(problem !== null)(`a pass with strace (${problem ?? "it is here"})`, () => {
  afterAll(async () => {
    host.killAll();
    await host.allEnded(5_000);
  });

  it.each([
    ["cpp:reactor-epoll", 1_000],
    ["cpp:thread-per-connection", 1_000],
    ["cpp:process-per-connection", 100],
    ["cpp:prefork", 100],
  ] as const)(
    "counts what %s counts at %i connections, within 1 %%",
    {
      timeout: 120_000,
    },
    async (name, connections) => {
      const { counts, own } = await countOf(name, { connections: [connections], rate: 20_000 });
      expect(counts.reason).toBeNull();
      expect(counts.messages).toBeGreaterThan(1000);
      // The load is held while strace attaches and detaches, so no call is cut in two.
      // Messages that arrive at a connection together are answered by one call.
      expect(counts.calls["sendto"]).toBe(own?.sendCalls);
      expect(own?.bytesReceived).toBe(64 * counts.messages);
      for (const [field, names] of Object.entries(countedCalls)) {
        const seen = names.reduce((sum, call) => sum + (counts.calls[call] ?? 0), 0);
        const ours = own?.[field as keyof typeof countedCalls] ?? Number.NaN;
        // A wait is interrupted when strace attaches, and when it detaches.
        expect(Math.abs(ours - seen), field).toBeLessThanOrEqual(Math.max(4, 0.01 * seen));
      }
      const all = Object.values(counts.calls).reduce((sum, number) => sum + number, 0);
      const named = Object.values(countedCalls)
        .flat()
        .reduce((sum, call) => sum + (counts.calls[call] ?? 0), 0);
      expect(all - named, JSON.stringify(counts.calls)).toBeLessThanOrEqual(
        Math.max(8, 0.01 * all),
      );
    },
  );

  it("gives a reason in place of counts while a thread still has calls to report", async () => {
    // It waits until it is asked, and then never sleeps again: its last call is not counted.
    const script = 'process.on("SIGUSR2", () => { for (;;); }); setInterval(() => {}, 1e6);';
    let ready: () => void = () => {};
    const waits = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const argv = [process.execPath, "-e", `${script} console.log("waits");`];
    const child = host.start(argv, { onLine: () => ready() });
    try {
      await waits;
      const trace = await CallTrace.attach([child.pid], { host });
      if (typeof trace === "string") throw new Error(trace);
      child.kill("SIGUSR2");
      expect(await trace.end()).toMatch(/had not reported in the end: 1; .*--connections/);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("leaves the server alone when the run is killed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-killed-"));
    const argv = [process.execPath, "-e", 'console.log("waits"); setInterval(() => {}, 1e6);'];
    let ready: () => void = () => {};
    const waits = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const server = host.start(argv, { onLine: () => ready() });
    const status = () => readFileSync(`/proc/${server.pid}/status`, "utf8");
    let traces: ChildProcess | undefined;
    try {
      await waits;
      const script = `
        import { LocalHost } from "./dist/bench/host/local.js";
        import { CallTrace } from "./dist/bench/host/strace.js";
        const trace = await CallTrace.attach([${server.pid}], { host: new LocalHost() });
        console.log(typeof trace);
        setInterval(() => {}, 1e6);`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, TMPDIR: folder },
      });
      traces = child;
      const [said] = await once(child.stdout.setEncoding("utf8"), "data");
      expect(said).toBe("object\n");
      expect(status()).not.toMatch(/^TracerPid:\s*0$/m);
      child.kill("SIGKILL");
      await eventually(() => expect(status()).toMatch(/^TracerPid:\s*0$/m));
    } finally {
      traces?.kill("SIGKILL");
      server.kill("SIGKILL");
      rmSync(folder, { recursive: true });
    }
  });

  it("counts a server that has no counters, after the windows of a run", {
    timeout: 120_000,
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-counted-"));
    // Of its own: what another run has there at the moment is not this one's.
    const temporary = join(folder, "temporary");
    mkdirSync(temporary);
    try {
      const cli = join(import.meta.dirname, "../bin/io-selectors.js");
      // 25 ms between two messages of a connection: though strace delays, each has its own call.
      const options = "--connections 50 --rate 2000 --blocks 1 --duration 0.1 --budget 1";
      const which = ["--count-calls", "--contenders", "node:net", "--out", folder];
      const argv = [cli, "bench", ...which, ...options.split(" ")];
      const ran = spawnSync(process.execPath, argv, {
        encoding: "utf8",
        env: { ...process.env, TMPDIR: temporary },
      });
      expect(ran.stderr).toContain("system calls of node:net");
      const path = join(folder, "latest", "results.json");
      const { cells, settings } = parseResults(readFileSync(path, "utf8"), path);
      expect(settings["options"]).toMatchObject({ "count-calls": true });
      for (const { contender, callCounts } of cells) {
        expect(callCounts?.reason, contender).toBeNull();
        const { messages = 0, calls = {} } = callCounts ?? {};
        const sends = ["write", "writev", "sendto", "sendmsg"];
        const sent = sends.reduce((sum, name) => sum + (calls[name] ?? 0), 0);
        expect(sent, contender).toBeGreaterThan(0.5 * messages);
        expect(sent, contender).toBeLessThanOrEqual(1.01 * messages);
      }
      const traces = readdirSync(temporary).filter((name) => name.includes("strace"));
      expect(traces).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("counts accepting and closing where a workload is about them", {
    timeout: 120_000,
  }, async () => {
    const { counts } = await countOf("cpp:reactor-epoll", { workloads: ["connect-rate"] });
    expect(counts.reason).toBeNull();
    const perMessage = (name: string) => (counts.calls[name] ?? 0) / counts.messages;
    // Slots that are open at the end have not closed yet.
    for (const name of ["accept4", "close"]) expect(perMessage(name), name).toBeGreaterThan(0.9);
    expect(perMessage("epoll_ctl")).toBeGreaterThan(1.8);
  });
});
