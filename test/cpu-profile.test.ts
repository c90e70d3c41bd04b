// --cpu-profile: what perf prints is folded and shared out by category; reports show it; a machine
// that forbids it is refused before anything starts; and a real pass with perf, if there is one.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LocalHost } from "../bench/host/local.ts";
import { perfProblem, problemOf } from "../bench/host/perf.ts";
import { type CpuProfile, timeCategories } from "../bench/model/cpu-profile.ts";
import type { Results } from "../bench/model/results.ts";
import { folded } from "../bench/report/folded.ts";
import { boxesOf } from "../bench/report/html/flame.ts";
import { parseResults, serializeResults } from "../bench/report/json.ts";
import { shareSentence } from "../bench/report/profile-words.ts";
import { reportOf } from "../bench/report/report.ts";
import { PerfScript } from "../bench/run/perf-script.ts";
import { categoryOf } from "../bench/run/time-categories.ts";
import { inventedResults, inventedProfile as profile } from "./report-data.ts";
import { renderHtml, renderMarkdown, renderTerminal } from "./report-words.ts";

const kernel = (...symbols: string[]) =>
  symbols.map((symbol) => ({ symbol, object: "[kernel.kallsyms]" }));
const inCall = (...symbols: string[]) => [
  { symbol: "main", object: "echo-server" },
  ...kernel("entry_SYSCALL_64_after_hwframe", "do_syscall_64", ...symbols),
];

describe("the category of a stack", () => {
  it.each([
    ["receiving", inCall("__x64_sys_recvfrom", "tcp_recvmsg")],
    ["receiving", inCall("ksys_read", "sock_read_iter", "tcp_recvmsg")],
    ["sending", inCall("__x64_sys_sendto", "tcp_sendmsg", "handle_softirqs", "tcp_v4_rcv")],
    ["sending", inCall("__arm64_sys_write", "ksys_write", "sock_write_iter")],
    // An interrupt during a call belongs to the call.
    ["sending", inCall("__x64_sys_sendto", "tcp_sendmsg", "asm_sysvec_apic_timer_interrupt")],
    ["waiting", inCall("__x64_sys_epoll_wait", "ep_poll", "schedule")],
    ["waiting", inCall("__x64_sys_select", "do_select", "tcp_poll")],
    // A thread that sleeps in recv waits.
    ["waiting", inCall("__x64_sys_recvfrom", "sk_wait_data", "schedule_timeout", "schedule")],
    ["accepting", inCall("__x64_sys_accept4", "inet_csk_accept")],
    ["receiving", inCall("__x64_sys_io_uring_enter", "io_cqring_wait", "io_recv", "tcp_recvmsg")],
    ["sending", inCall("tctx_task_work", "io_send", "tcp_sendmsg")],
    ["waiting", inCall("__x64_sys_io_uring_enter", "io_cqring_wait", "schedule")],
    ["otherCalls", inCall("__x64_sys_epoll_ctl", "ep_modify")],
    ["otherCalls", inCall("ksys_write", "eventfd_write")],
    ["scheduling", inCall("__x64_sys_futex", "futex_wake")],
    ["waiting", inCall("__x64_sys_futex", "futex_wait", "schedule")],
    ["crossing", inCall("syscall_exit_to_user_mode")],
    ["scheduling", inCall("exit_to_user_mode_loop", "schedule", "__schedule")],
    ["interrupts", kernel("asm_sysvec_apic_timer_interrupt", "handle_softirqs")],
    ["memory", kernel("asm_exc_page_fault", "exc_page_fault")],
    ["own", [{ symbol: "Serve", object: "echo-server" }]],
    ["own", [{ symbol: "JS:*onData server.js:3:1", object: "perf-7.map" }]],
    ["own", [{ symbol: "Turn", object: "io_selectors.node" }]],
    ["runtime", [{ symbol: "JS:*push node:internal/streams:1:1", object: "perf-7.map" }]],
    ["runtime", [{ symbol: "Builtins_CallFunction", object: "node" }]],
    ["libraries", [{ symbol: "malloc", object: "libc.so.6" }]],
  ] as const)("is %s", (category, frames) => {
    expect(categoryOf(frames)).toBe(category);
  });
});

const printed = `   41
	ffffffff81 tcp_recvmsg ([kernel.kallsyms])
	ffffffff82 __x64_sys_recvfrom ([kernel.kallsyms])
	ffffffff83 do_syscall_64 ([kernel.kallsyms])
	    7f0001 recv (/usr/lib/libc.so.6)
	    550001 io_selectors::(anonymous namespace)::Main (/home/me/echo-server)

   41
	    550002 operator;odd (/home/me/echo-server (deleted))
	    550001 io_selectors::(anonymous namespace)::Main (/home/me/echo-server)

   41
	ffffffff81 tcp_recvmsg ([kernel.kallsyms])
	ffffffff82 __x64_sys_recvfrom ([kernel.kallsyms])
	ffffffff83 do_syscall_64 ([kernel.kallsyms])
	    7f0001 recv (/usr/lib/libc.so.6)
	    550001 io_selectors::(anonymous namespace)::Main (/home/me/echo-server)

   42
	    7f0009 JS:*onData file:///home/me/my app/server.js:3:1 (/tmp/perf-42.map)

    0
	ffffffff84 default_idle ([kernel.kallsyms])
`;

function read(text: string, pids: readonly number[]) {
  const script = new PerfScript((pid) => pids.includes(pid));
  for (const line of text.split("\n")) script.add(line);
  return script.end();
}

describe("what perf script prints", () => {
  it("is folded, the outermost frame first, of the server's processes alone", () => {
    const { samples, shares, frames, stacks } = read(printed, [41]);
    expect(samples).toBe(3);
    expect(shares).toEqual({ receiving: 2, own: 1 });
    const named = stacks.map(([count, ...rest]) => [count, rest.map((index) => frames[index])]);
    const main = "io_selectors::(anonymous namespace)::Main";
    const call = ["recv", "do_syscall_64_[k]", "__x64_sys_recvfrom_[k]", "tcp_recvmsg_[k]"];
    expect(named).toEqual([
      [2, [main, ...call]],
      [1, [main, "operator:odd"]],
    ]);
  });

  it("keeps no folder of this machine, and counts scripts as the server's own", () => {
    const { shares, frames } = read(printed, [42]);
    expect(shares).toEqual({ own: 1 });
    expect(frames).toEqual([expect.stringMatching(/^JS:\*onData .*server\.js:3:1_\[j\]$/)]);
    expect(frames.join()).not.toContain("/home");
  });
});

const profiled = (...cpuProfiles: CpuProfile[]): Results => ({
  ...inventedResults(),
  cpuProfiles,
});

describe("the reports of a profile", () => {
  const nothing = { samples: 0, shares: {}, frames: [], stacks: [] };
  const results = profiled(
    profile("cpp:reactor-epoll"),
    profile("node:net", { ...nothing, reason: "no sample fell into its processes" }),
  );

  it("are of results.json as it was read, and results without profiles stay as they were", () => {
    expect(parseResults(serializeResults(results), "results.json")).toEqual(results);
    const without = inventedResults();
    for (const text of [renderHtml(without), renderMarkdown(without)]) {
      expect(text).not.toContain("Where CPU time goes");
    }
    expect([...folded.files(reportOf(without)).keys()]).toEqual([]);
  });

  it("hold the shares in Markdown, in the terminal and on the page", () => {
    const table = "| contender | waiting, % | sending, % | the server's own code, % | samples |";
    expect(renderMarkdown(results)).toContain(table);
    expect(renderMarkdown(results)).toContain("| cpp:reactor-epoll | 30 | 60 | 10 | 1,000 |");
    expect(renderMarkdown(results)).toContain("node:net: no profile: no sample fell into");
    expect(shareSentence(profile("one"))).toBe(
      "sending 60 %, waiting 30 % and the server's own code 10 %",
    );
    const screen = renderTerminal(results, { colour: false, width: 80 });
    expect(screen).toContain("cpp:reactor-epoll: sending 60 %, waiting 30 %");
    for (const line of screen.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    const page = renderHtml(results);
    expect(page).toContain('aria-label="Flame graph of cpp:reactor-epoll"');
    expect(page).not.toContain('aria-label="Flame graph of node:net"');
    expect(page).toContain("&lt;wait&gt;");
  });

  it("have collapsed stacks, whose samples add up", () => {
    const files = folded.files(reportOf(results));
    expect([...files]).toEqual([
      ["profiles/cpp-reactor-epoll.folded", "main;send_[k] 600\nmain;<wait>_[k] 300\nmain 100\n"],
    ]);
    const alike = ["old.v1", "old-v1"].map((name) => profile(name));
    const names = [...folded.files(reportOf({ ...results, cpuProfiles: alike })).keys()];
    expect(names).toEqual(["profiles/old-v1.folded", "profiles/old-v1-2.folded"]);
  });

  it("draw a box per function inside the one that called it, and none too narrow to see", () => {
    const one = profile("cpp:reactor-epoll");
    const narrow = { frames: [...one.frames, "rare"], stacks: [...one.stacks, [1, 0, 3]] };
    const boxes = boxesOf({ ...one, ...narrow, samples: 1001 });
    expect(boxes).toEqual([
      { name: "all", depth: 0, from: 0, samples: 1001 },
      { name: "main", depth: 1, from: 0, samples: 1001 },
      { name: "<wait>_[k]", depth: 2, from: 0, samples: 300 },
      { name: "send_[k]", depth: 2, from: 301, samples: 600 },
    ]);
  });
});

describe("a machine without perf, or that forbids it", () => {
  const ended = { code: 0, signal: null, error: null };
  const files = (texts: Readonly<Record<string, string>>) => (path: string) => texts[path] ?? null;

  it("is told how to install and how to allow it", () => {
    const missing = problemOf({ ...ended, code: null, error: "spawn perf ENOENT" }, "", files({}));
    expect(missing).toMatch(/^perf is not installed; install it: apt-get install linux-perf/);
    const paranoid = files({ "/proc/sys/kernel/perf_event_paranoid": "2" });
    expect(problemOf({ ...ended, code: 255 }, "No permission to enable", paranoid)).toMatch(
      /^kernel\.perf_event_paranoid is 2.*sudo sysctl kernel\.perf_event_paranoid=0/,
    );
    const hidden = files({ "/proc/kallsyms": "0000000000000000 T _text\n" });
    expect(problemOf(ended, "", hidden)).toMatch(/kptr_restrict=0/);
    const shown = files({ "/proc/kallsyms": "ffffffff81000000 T _text\n" });
    expect(problemOf(ended, "", shown)).toBeNull();
  });

  it("ends before anything starts, with one line and 2", () => {
    const cli = join(import.meta.dirname, "../bin/io-selectors.js");
    const env = { ...process.env, PATH: "/nowhere" };
    const argv = [cli, "bench", "--cpu-profile", "--connections", "10"];
    const { status, stderr, stdout } = spawnSync(process.execPath, argv, { env, encoding: "utf8" });
    expect(stderr).toMatch(/^bench: --cpu-profile: perf is not installed; [^\n]+\n$/);
    expect([status, stdout]).toEqual([2, ""]);
  });
});

const problem = await perfProblem(new LocalHost());

describe.skipIf(problem !== null)(`a pass with perf (${problem ?? "it is here"})`, () => {
  it("profiles each contender after its windows, and leaves no file behind", {
    timeout: 120_000,
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-profile-"));
    const maps = () =>
      readdirSync("/tmp")
        .filter((name) => /^perf-\d+\.map$/.test(name))
        .sort();
    const before = maps();
    try {
      const cli = join(import.meta.dirname, "../bin/io-selectors.js");
      const options = "--connections 50 --rate 20000 --blocks 1 --duration 0.1 --budget 1";
      const argv = [
        cli,
        "bench",
        "--cpu-profile",
        ...options.split(" "),
        "--contenders",
        "node:net",
      ];
      const where = { encoding: "utf8", cwd: folder } as const;
      const ran = spawnSync(process.execPath, [...argv, "--out", folder], where);
      expect(ran.stderr).toContain("profile of node:net");
      const report = join(folder, "latest");
      const path = join(report, "results.json");
      const { cpuProfiles = [] } = parseResults(readFileSync(path, "utf8"), path);
      expect(cpuProfiles.map(({ contender, reason }) => [contender, reason])).toEqual([
        ["cpp:reactor-epoll", null],
        ["node:net", null],
      ]);
      for (const { samples, shares, stacks, frames } of cpuProfiles) {
        const sum = timeCategories.reduce((all, name) => all + (shares[name] ?? 0), 0);
        expect(sum).toBe(samples);
        expect(stacks.reduce((all, [count = 0]) => all + count, 0)).toBe(samples);
        expect(shares.sending).toBeGreaterThan(0);
        expect(frames.join("\n")).not.toContain(folder);
      }
      const [native, node] = cpuProfiles;
      expect(native?.shares.runtime).toBeUndefined();
      expect(node?.shares.runtime).toBeGreaterThan(0);
      // Names of the native server's functions, and of those that V8 compiled.
      expect(native?.frames.join()).toContain("EchoHandler");
      expect(node?.frames.some((name) => name.endsWith("_[j]"))).toBe(true);
      expect(existsSync(join(report, "profiles", "node-net.folded"))).toBe(true);
      expect(readdirSync(folder).filter((name) => name.startsWith("isolate"))).toEqual([]);
      expect(maps().filter((name) => !before.includes(name))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
