// What goes wrong on several machines, with real sshds: each fault is reported with the name of
// its host, what was measured until then is kept, and no smaller load passes as the whole one.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HostPlan } from "../bench/agents/destination.ts";
import { FleetHost } from "../bench/agents/fleet-host.ts";
import type { Results } from "../bench/model/results.ts";
import { packagePaths } from "../bench/paths.ts";
import { beginLoad, measureWindows } from "./fleet-load.ts";
import { SshHosts, whyNoLogin, whyNoNamespaces } from "./ssh-hosts.ts";

const paths = packagePaths();
const noHosts = await whyNoLogin();
const noNamespaces = whyNoNamespaces();
const noCompiler = spawnSync("cc", ["--version"]).status === 0 ? null : "there is no cc";
const named = (title: string, why: string | null) => (why === null ? title : `${title} (${why})`);
let machines: SshHosts;
const open: FleetHost[] = [];

async function openFleet(plan: Partial<HostPlan> = {}, own = paths): Promise<FleetHost> {
  const { config } = machines;
  const usual = { agents: ["a", "b"], server: "s", serverAddress: null, sshConfig: config };
  const host = await FleetHost.open({ ...usual, ...plan }, { paths: own });
  open.push(host);
  return host;
}

/** A script in a folder of its own, in place of a program of that name. */
function script(folder: string, name: string, lines: readonly string[]): string {
  mkdirSync(join(machines.folder, folder), { recursive: true });
  const path = join(machines.folder, folder, name);
  writeFileSync(path, `#!/bin/sh\n${lines.join("\n")}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The fault of a fleet with that agent in addition. */
async function faultOf(name: string): Promise<string> {
  return await openFleet({ agents: ["a", name] }).then(
    () => "none",
    (error: unknown) => (error as Error).message,
  );
}

describe.skipIf(noHosts !== null)(named("faults of other machines", noHosts), () => {
  const slept = () => join(machines.folder, "slept");

  beforeAll(async () => {
    machines = new SshHosts(noNamespaces === null);
    await machines.add({ name: "s" });
    await machines.add({ name: "a" });
    const preload = noCompiler === null ? { LD_PRELOAD: compileSuspension() } : {};
    await machines.add({ name: "b", environment: preload });
    // A machine whose uname says something else.
    script("riscv", "uname", ['[ "$1" = -m ] && echo riscv64 || exec /usr/bin/uname "$@"']);
    const path = `${join(machines.folder, "riscv")}:/usr/bin:/bin`;
    await machines.add({ name: "riscv", environment: { PATH: path } });
    const { address, port } = machines.hosts.get("a") ?? { address: "", port: 0 };
    const there = `  HostName ${address}\n  Port ${port}`;
    const blocks = [
      `Host unknown-key\n${there}\n  UserKnownHostsFile /dev/null`,
      `Host refused\n${there}\n  IdentityFile ${join(machines.folder, "stranger")}`,
      `Host closed\n  HostName ${address}\n  Port 1`,
    ];
    const config = readFileSync(machines.config, "utf8");
    writeFileSync(machines.config, `${blocks.join("\n")}\n${config}`);
  });

  afterEach(async () => {
    for (const host of open.splice(0)) await host.close();
  });

  afterAll(async () => {
    await machines?.close();
  });

  /** A library for a host whose CLOCK_BOOTTIME jumps by 30 s: what a suspension looks like. */
  function compileSuspension(): string {
    const source = join(machines.folder, "suspension.c");
    const library = join(machines.folder, "suspension.so");
    const lines = [
      "#include <sys/syscall.h>",
      "#include <time.h>",
      "#include <unistd.h>",
      "int clock_gettime(clockid_t id, struct timespec* now) {",
      "  const int result = (int)syscall(SYS_clock_gettime, id, now);",
      `  if (id == CLOCK_BOOTTIME && access("${slept()}", F_OK) == 0) now->tv_sec += 30;`,
      "  return result;",
      "}",
    ];
    writeFileSync(source, `${lines.join("\n")}\n`);
    execFileSync("cc", ["-shared", "-fPIC", "-o", library, source]);
    return library;
  }

  it.each([
    ["an unknown name", "nosuch.invalid", /^nosuch\.invalid: .*resolve/],
    [
      "a host whose key is unknown",
      "unknown-key",
      /^unknown-key: .*Host key.*connect once by hand/,
    ],
    ["a key that is refused", "refused", /^refused: .*Permission denied.*ssh-add/],
    ["a port where nothing listens", "closed", /^closed: .*refused.*sshd/],
    ["another architecture", "riscv", /^riscv: it runs Linux riscv64 .*prebuilds\/linux-riscv64/],
  ])("reports %s with the host, and what to do", async (_title, name, message) => {
    expect(await faultOf(name)).toMatch(message);
  });

  it("never asks for a password", async () => {
    const asked = join(machines.folder, "asked");
    const program = script("askpass", "askpass", [`touch '${asked}'`, "echo wrong"]);
    const before = { ...process.env };
    // ssh(1) would ask this program, which stands for a prompt.
    Object.assign(process.env, { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: "force" });
    try {
      // The host takes passwords.
      expect(await faultOf("refused")).toMatch(/denied \([^)]*password.*never asked for/);
      expect(existsSync(asked)).toBe(false);
    } finally {
      process.env = before;
    }
  });

  it("reports a C library that is too old, and what is needed", async () => {
    // The dynamic linker's words for a program that was built on a newer system.
    const words = "load-generator: /lib/libc.so.6: version GLIBC_2.99 not found";
    const loadGenerator = script("newer", "load-generator", [`echo "${words}" >&2`, "exit 1"]);
    await expect(openFleet({}, { ...paths, loadGenerator })).rejects.toThrow(
      /^a: .*older than glibc 2\.99.*\nb: .*older/,
    );
  });

  it.skipIf(noNamespaces !== null)(named("reports a full disk", noNamespaces), async () => {
    rmSync(machines.cache, { recursive: true, force: true });
    mkdirSync(machines.cache);
    // In the mounts of that host's sshd.
    const sshd = String(machines.hosts.get("a")?.sshd.pid);
    const inside = (...words: string[]) => execFileSync("nsenter", ["-t", sshd, "-m", ...words]);
    inside("mount", "-t", "tmpfs", "-o", "size=64k", "none", machines.cache);
    try {
      await expect(openFleet({ agents: ["a"], server: "a" })).rejects.toThrow(
        /^a: cannot store load-generator-\S+ in \S+: is its disk full\?/,
      );
    } finally {
      inside("umount", machines.cache);
    }
  });

  it("reports a cache folder that cannot be made", async () => {
    rmSync(machines.cache, { recursive: true, force: true });
    writeFileSync(machines.cache, "a file, no folder");
    try {
      await expect(openFleet({ agents: ["a"], server: "a" })).rejects.toThrow(
        /^a: cannot create the cache folder/,
      );
    } finally {
      rmSync(machines.cache);
    }
  });

  it("keeps what was measured when an agent dies, and does not go on without it", async () => {
    const cli = join(paths.root, "dist", "bench", "cli.js");
    const what = ["--workloads", "echo-rate", "--contenders", "cpp:poll,cpp:select"];
    const load = "--connections 20 --rate 500 --blocks 5 --budget 60 --duration 0.2".split(" ");
    const where = ["--agents", "a,b", "--server", "s", "--ssh-config", machines.config];
    const out = ["--out", join(machines.folder, "out"), "--json"];
    const child = spawn(process.execPath, [cli, ...what, ...load, ...where, ...out], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const exited = once(child, "exit");
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      const before = said;
      said += chunk;
      // Three rounds are over: a whole block of all contenders.
      const third = /^\[ *3\//m;
      if (!third.test(said) || third.test(before)) return;
      for (const pid of machines.agents("b")) process.kill(pid, "SIGKILL");
    });
    const results = JSON.parse(await text(child.stdout)) as Results;
    expect(await exited).toEqual([1, null]);
    expect(said).toMatch(/^b: /m);
    const measured = results.cells.filter(({ messages }) => messages > 0);
    expect(measured.length).toBeGreaterThan(0);
    expect(results.complete).toBe(false);
    expect(results.environment["fleet"]).toHaveProperty("faults.0", expect.stringMatching(/^b: /));
  });

  it.skipIf(noNamespaces !== null)(
    named(
      "reports a link that stands still for 3 s, and counts nothing of that time",
      noNamespaces,
    ),
    async () => {
      const host = await openFleet();
      const down = setTimeout(() => machines.link("b", "down"), 300);
      const up = setTimeout(() => machines.link("b", "up"), 3_300);
      const lines = await measureWindows(host, 8);
      clearTimeout(down);
      clearTimeout(up);
      expect(host.facts.faults.join("\n")).toMatch(/^b: /m);
      const windows = lines.filter(({ event }) => event === "window");
      for (const { durationNs } of windows) expect(Number(durationNs)).toBeLessThan(1e9);
    },
  );

  it.skipIf(noCompiler !== null)(
    named("measures a window again in which a host was suspended", noCompiler),
    async () => {
      const host = await openFleet();
      const load = await beginLoad(host, ["--connections", 20, "--rate", 200]);
      const reported = () => host.facts.faults.some((fault) => fault.includes("suspended during"));
      // The clock jumps within a window, unless this machine is so busy that it has not begun.
      let windows = 0;
      for (; windows < 10 && !reported(); windows++) {
        const jump = setTimeout(() => writeFileSync(slept(), ""), 700);
        await load.window("ms=1000 settle-ms=5 drain-ms=500");
        clearTimeout(jump);
        rmSync(slept(), { force: true });
      }
      await load.end();
      expect(host.facts.faults).toContain("b: its host was suspended during a window");
      const counted = load.lines.filter(({ event }) => event === "window");
      expect(counted).toHaveLength(windows);
      // One more than are counted was measured.
      expect(Number(counted.at(-1)?.["index"])).toBeGreaterThanOrEqual(windows);
    },
  );
});
