// What another machine needs before it can run an agent, and what is said if it cannot; and a
// whole run over several agents by the command line.

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootstrap, bootstrapLine, endOf } from "../bench/agents/bootstrap.ts";
import { programFor } from "../bench/agents/programs.ts";
import { Channel } from "../bench/host/channel.ts";
import { packagePaths } from "../bench/paths.ts";
import { commandLines } from "./command-lines.ts";

const paths = packagePaths();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agents-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("programs", () => {
  const here = { system: "Linux", machine: process.arch === "arm64" ? "aarch64" : "x86_64" };
  const other = process.arch === "arm64" ? "x86_64" : "aarch64";

  it.runIf(process.platform === "linux")("are this machine's own for one like it", () => {
    const libc = existsSync("/etc/alpine-release") ? "musl" : "glibc 2.36";
    const program = programFor({ ...here, libc }, paths.loadGenerator, paths);
    if (typeof program === "string") throw new Error(program);
    expect(program.bytes.equals(readFileSync(paths.loadGenerator))).toBe(true);
  });

  it("of another architecture are looked for among the prebuilt ones", () => {
    const elsewhere = { ...paths, root: folder };
    const system = { system: "Linux", machine: other, libc: "glibc 2.36" };
    const missing = programFor(system, paths.loadGenerator, elsewhere);
    expect(missing).toMatch(new RegExp(`^it runs Linux ${other} .*prebuilds/linux-`));
    const name = `linux-${other === "aarch64" ? "arm64" : "x64"}`;
    const place = join(folder, "prebuilds", name);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "load-generator.glibc"), "built elsewhere");
    const found = programFor(system, paths.loadGenerator, elsewhere);
    expect(found).toMatchObject({ bytes: Buffer.from("built elsewhere") });
    expect(found).toHaveProperty("file", expect.stringMatching(/^load-generator-[0-9a-f]{16}$/));
  });
});

/** The first words with a machine that is this one, by a shell that stands for ssh. */
function reach(environment: Record<string, string>, before = "") {
  const words = Object.entries({ HOME: folder, ...environment }).map(([k, v]) => `${k}=${v}`);
  return new Channel(["env", ...words, "/bin/sh", "-c", `${before}${bootstrapLine}`]);
}

describe.runIf(process.platform === "linux")("the first words with a machine", () => {
  it("survive a login shell that prints something, and store below XDG_CACHE_HOME", async () => {
    const channel = reach({ XDG_CACHE_HOME: join(folder, "cache") }, "echo Welcome; ");
    const { installed } = await bootstrap(channel, { paths });
    expect(installed.loadGenerator).toMatch(/cache\/io-selectors\/load-generator-[0-9a-f]{16}$/);
    expect(readFileSync(installed.echoServer).equals(readFileSync(paths.echoServer))).toBe(true);
    channel.end();
    expect(await channel.exited).toMatchObject({ code: 0 });
    // No part of a copy is left.
    expect(readdirSync(join(folder, "cache", "io-selectors"))).toHaveLength(2);
  });

  it("report a disk that takes only a part", async () => {
    // head writes as much as it is allowed to, which is what a full disk does to it.
    const limited = reach({}, "ulimit -f 8; ");
    await expect(bootstrap(limited, { paths })).rejects.toThrow(/cannot store load-generator-/);
    await limited.exited;
    expect(readdirSync(join(folder, ".cache", "io-selectors"))).toEqual([]);
  });

  it("report an older C library, and what is needed", async () => {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    // The dynamic linker's words for a program that was built on a newer system.
    const words = "load-generator: /lib/libc.so.6: version GLIBC_2.99 not found";
    const fake = { ...paths, loadGenerator: join(bin, "load-generator") };
    writeFileSync(fake.loadGenerator, `#!/bin/sh\necho "${words}" >&2\nexit 1\n`);
    chmodSync(fake.loadGenerator, 0o700);
    const channel = reach({});
    await bootstrap(channel, { paths: fake });
    await channel.exited;
    expect(await endOf(channel)).toMatch(/exited with code 1.*older than glibc 2\.99/);
  });
});

describe.runIf(process.platform === "linux")("the command line", () => {
  const cli = join(paths.root, "dist", "bench", "cli.js");

  it("measures with agents, and leaves an environment block for each", async () => {
    const args = ["--workloads", "idle", "--contenders", "cpp:poll", "--connections", "20"];
    const brief = "--blocks 1 --budget 1 --duration 0.2".split(" ");
    const short = [...brief, "--out", folder, "--json"];
    const child = spawn(process.execPath, [cli, ...args, ...short, "--agents", "local,local"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, said] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "exit"),
    ]);
    const results = JSON.parse(out);
    expect(said).toMatch(/agent 2 on local: round trip \d+ µs/);
    expect(said).toMatch(/start skew between agents/);
    const { machines, fleet } = results.environment;
    expect(machines.map(({ role }: { role: string }) => role)).toEqual([
      "server",
      "agent 1",
      "agent 2",
    ]);
    expect(machines[1].network.roundTripUs).toBeGreaterThan(0);
    expect(fleet.agents).toHaveLength(2);
    expect(results.settings.options.hosts).toBe("FILE");
    const report = readdirSync(folder).map((run) => join(folder, run, "report.md"));
    expect(readFileSync(report[0] ?? "", "utf8")).toContain("### Machine: agent 2");
  });

  it("refuses what makes no sense", async () => {
    const rows: readonly (readonly [readonly string[], RegExp])[] = [
      [["--server", "user@s"], /--server needs --agents/],
      [["--agents", "a,-b"], /"-b" is not a destination/],
      [["--agents", "local", "--hosts", "x"], /leave out --agents/],
      [["--hosts", "/nonexistent"], /--hosts: ENOENT/],
      [["--agents", "local", "--server-address", "host"], /not a numeric IPv4 address/],
    ];
    const said = await commandLines(rows.map(([words]) => words));
    for (const [i, [words, message]] of rows.entries()) {
      expect(said[i]?.status, words.join(" ")).toBe(2);
      expect(said[i]?.stderr).toMatch(message);
    }
  });
});
