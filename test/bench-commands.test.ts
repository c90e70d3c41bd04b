// The commands other than run: each as its user meets it, in a process of its own.

import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseOptions } from "../bench/command-line.ts";
import { asText } from "../bench/commands/list.ts";
import { contenders } from "../bench/contenders/catalogue.ts";
import { families } from "../bench/contenders/families.ts";
import { peers } from "../bench/contenders/peers.ts";
import { widthOf } from "../bench/host/output.ts";
import { workloads } from "../bench/model/workloads/catalogue.ts";
import { packagePaths } from "../bench/paths.ts";
import { parseResults } from "../bench/report/json.ts";
import { nextLines } from "../bench/report/next.ts";
import { loadRows } from "../bench/run/options.ts";
import { profiles } from "../bench/run/profiles.ts";
import { survivors } from "./bench-processes.ts";
import { commandLines } from "./command-lines.ts";

const linux = process.platform === "linux";
const cli = join(packagePaths().root, "dist", "bench", "cli.js");
let folder = "";

/** An echo server in a few lines, as a user would write one; its port is its first argument. */
const foreignServer = `
  require("node:net")
    .createServer((socket) => socket.on("error", () => {}).pipe(socket))
    .listen(Number(process.argv[2]), "127.0.0.1", function () {
      console.log(this.address().port);
    });
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
  writeFileSync(join(folder, "echo.cjs"), foreignServer);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bench(...argv: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    const options = { cwd: folder, maxBuffer: 1 << 26 };
    const child = execFile(process.execPath, [cli, ...argv], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe("the command line", () => {
  it("names its commands, each of which has its own help with examples", async () => {
    const unknown = await bench("fly");
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("run, target, doctor, list");
    const names = ["run", "target", "doctor", "list", "report"];
    const helps = await commandLines(names.map((name) => [name, "--help"]));
    for (const [i, name] of names.entries()) {
      const { status, stdout } = helps[i] ?? {};
      expect(status).toBe(0);
      expect(stdout).toContain(`npm run bench -- ${name}`);
      expect(stdout).toContain("examples:");
    }
  });

  it("suggests the name that was meant, and takes numbers as people write them", async () => {
    const lines = [["tagret"], ["--conections", "5"], ["--connections", "10x"]];
    const names = [
      ["--workloads", "eco-rate"],
      ["--contenders", "node:nte"],
      ["--contenders", "none-of-these-at-all"],
    ];
    const results = await commandLines([...lines, ...names]);
    const [command, option, number, workload, contender, unknown] = results;
    expect(command?.stderr).toContain("did you mean target?");
    expect(workload?.stderr).toContain('unknown workload "eco-rate"; did you mean echo-rate?');
    expect(contender?.stderr).toContain("did you mean node:net?");
    expect(unknown?.stderr?.match(/\bnode:net,/g)).toHaveLength(1); // each name once
    expect(option?.stderr).toContain("did you mean --connections?");
    expect(number).toMatchObject({ status: 2, stderr: expect.stringContaining('"10x" is not') });
    const read = (option: string, text: string) =>
      parseOptions([`--${option}`, text], loadRows).values[option];
    expect(read("connections", "100,10k")).toEqual([100, 10_000]);
    expect(read("rate", "1.5M")).toBe(1_500_000);
    expect(read("payload", "64KiB")).toBe(65_536);
    expect([read("duration", "500ms"), read("duration", "2s")]).toEqual([0.5, 2]);
    for (const [option, text] of [
      ["rate", "1.5"],
      ["connections", "64KiB"],
      ["duration", "2h"],
      ["payload", "2MiB"],
    ] as const) {
      expect(() => read(option, text)).toThrow(`--${option}: "${text}" is not`);
    }
    expect(() => read("connections", "100,,200")).toThrow('an empty entry in "100,,200"');
  });

  it("lists in as many columns as the terminal has, and in 80 if it reports none", () => {
    expect([widthOf({}), widthOf({ columns: 0 }), widthOf({ columns: 60 })]).toEqual([
      ...[Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 60],
    ]);
    expect(widthOf({ columns: 0 }, 160)).toBe(160);
    const longest = (width: number) => {
      const lines = asText(width).split("\n");
      return Math.max(...lines.map(({ length }) => length));
    };
    expect(longest(60)).toBeLessThanOrEqual(60);
    expect(longest(widthOf({ columns: 0 }))).toBeGreaterThan(70);
    expect(longest(widthOf({ columns: 0 }))).toBeLessThanOrEqual(80);
  });

  it("ends a run with the next command, whole, and its purpose below if there is no room", () => {
    const next = { command: "npm run bench -- advise", purpose: "which strategy fits" };
    expect(nextLines(next, 80)).toEqual([`Next:   ${next.command}  # ${next.purpose}`]);
    expect(nextLines(next, 40)).toEqual([`Next:   ${next.command}`, `        # ${next.purpose}`]);
  });

  it("says that npm kept an option for itself", async () => {
    const env = { ...process.env, npm_lifecycle_event: "bench", npm_config_connections: "true" };
    const { status, stderr } = spawnSync(process.execPath, [cli, "1000"], {
      env,
      encoding: "utf8",
    });
    expect(status).toBe(2);
    expect(stderr).toContain("npm run bench -- --connections");
  });

  it("does not take what npm tells every script for an option", async () => {
    const own = { npm_config_prefix: "/usr", npm_config_json: "true", npm_config_depth: "0" };
    const env = { ...process.env, npm_lifecycle_event: "bench", ...own };
    const { status } = spawnSync(process.execPath, [cli, "list", "--help"], { env });
    expect(status).toBe(0);
  });

  it("has help of at most 80 columns for every command", async () => {
    const { stdout: listed } = await bench("--help");
    const list = /^commands.*\n([\s\S]*?)\n\n/m.exec(listed)?.[1] ?? "";
    const names = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name = ""]) => name);
    expect(names).toContain("target");
    expect(names.length).toBeGreaterThan(8);
    const helps = await commandLines(names.map((name) => [name, "--help"]));
    for (const [i, name] of names.entries()) {
      const { stdout = "" } = helps[i] ?? {};
      expect(stdout).toContain("options:");
      const long = stdout.split("\n").filter((line) => line.length > 80);
      expect(long, name).toEqual([]);
    }
  });

  it("has help of one screen for run, with the exit codes", async () => {
    const { stdout } = await bench("run", "--help");
    expect(stdout.split("\n").length).toBeLessThanOrEqual(48);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(stdout).toContain("list");
    expect(stdout).toContain("exit codes:");
  });

  it("refuses words that a command does not take", async () => {
    const { code, stderr } = await bench("list", "everything");
    expect(code).toBe(2);
    expect(stderr).toContain('unknown argument "everything"');
  });
});

describe("list", () => {
  it("knows every profile, workload and contender, also as JSON", async () => {
    const { stdout } = await bench("list");
    const listed = JSON.parse((await bench("list", "--json")).stdout) as Record<
      string,
      { name: string }[]
    >;
    for (const [kind, rows] of Object.entries({ profiles, workloads, contenders })) {
      expect(listed[kind]?.map(({ name }) => name)).toEqual(rows.map(({ name }) => name));
      for (const { name } of rows) expect(stdout).toContain(`  ${name} `);
    }
  });

  it("contains per contender what it does not support, and [] if that is nothing", async () => {
    const { stdout } = await bench("list", "--json");
    const listed = JSON.parse(stdout) as Record<
      "contenders" | "peers",
      { name: string; unsupported: unknown }[]
    > & { families: { contenders: { name: string; unsupported: unknown }[] }[] };
    const rows = [
      ...listed.contenders,
      ...listed.peers,
      ...listed.families.flatMap((family) => family.contenders),
    ];
    const known = [...contenders, ...peers, ...Object.values(families).flat()];
    expect(rows.filter(({ unsupported }) => !Array.isArray(unsupported))).toEqual([]);
    for (const { name, unsupported } of rows) {
      const ofName = known.filter((one) => one.name === name).map((one) => one.unsupported ?? []);
      expect(ofName).toContainEqual(unsupported);
    }
    expect(rows.some(({ unsupported }) => (unsupported as unknown[]).length > 0)).toBe(true);
  });
});

describe("doctor", () => {
  it("says what each limit allows, what fits, and how to lift what does not", async () => {
    const { code, stdout } = await bench("doctor");
    expect(code).toBe(0);
    expect(stdout).toMatch(/RLIMIT_NOFILE .*connections in one process/);
    expect(stdout).toContain("what fits");
    expect(stdout).toContain("epoll");
    expect(stdout).toContain("disturbs");
  });

  it.runIf(linux)("sees a lower limit at once, with the command that lifts it", async () => {
    const low = spawn("prlimit", ["--nofile=500:500", process.execPath, cli, "doctor"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let stdout = "";
    for await (const text of low.stdout.setEncoding("utf8")) stdout += text;
    expect(stdout).toContain("at most 420 connections in one process");
    expect(stdout).toMatch(/1,000 +no: RLIMIT_NOFILE/);
    expect(stdout).toContain("RLIMIT_NOFILE 500 < 1080 needed");
    expect(stdout).toMatch(/ulimit -n 1080/);
  });
});

describe("target", () => {
  const load = "--connections 5 --rate 5000 --duration 0.3 --blocks 1 --budget 1".split(" ");

  it("says what is missing", async () => {
    const cases: [string[], RegExp][] = [
      [[], /needs a server: --command .* or --url or --address/],
      [["--command", "x {port}", "--address", "127.0.0.1:7"], /use either/],
      [["--command", "x"], /no \{port\}/],
      [["--address", "10.0.0.1:7", "--pid", "1"], /is not 127\.0\.0\.1:PORT/],
      [["--address", "127.0.0.1:7"], /needs --pid/],
    ];
    const outcomes = await commandLines(cases.map(([argv]) => ["target", ...argv]));
    for (const [i, [, message]] of cases.entries()) {
      const { status, stderr = "" } = outcomes[i] ?? {};
      expect(status).toBe(2);
      expect(stderr).toMatch(message);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
  });

  it.runIf(linux)(
    "measures a command's CPU time and latency, and ends what it started",
    async () => {
      const server = join(folder, "echo.cjs");
      const command = `'${process.execPath}' '${server}' {port}`;
      const { code, stdout } = await bench(
        "target",
        "--command",
        command,
        ...load,
        "--out",
        folder,
        "--json",
      );
      expect(code).toBe(0);
      const { cells, profile } = parseResults(stdout, "standard output");
      expect(profile).toBe("target");
      const cell = cells.find(({ contender }) => contender === "target");
      expect(cell?.messages).toBeGreaterThan(0);
      expect(cell?.mismatches).toBe(0);
      expect(["ok", "tie", "inconclusive"]).toContain(cell?.status);
      expect(await survivors(runningWith(server), 5_000)).toEqual([]);
    },
  );

  it.runIf(linux).each([
    ["SIGINT", "& wait"],
    ["SIGKILL", "& wait"],
    ["SIGINT", "& exit 0"],
    ["SIGKILL", "& exit 0"],
  ] as const)(
    "leaves nothing of a command running after %s, neither children nor daemons (%s)",
    async (signal, rest) => {
      const server = join(folder, "echo.cjs");
      const command = `setsid '${process.execPath}' '${server}' {port} ${rest}`;
      const long = ["--connections", "5", "--rate", "5000", "--duration", "5", "--blocks", "2"];
      const argv = ["target", "--command", command, ...long, "--out", folder];
      const run = spawn(process.execPath, [cli, ...argv], { stdio: "ignore" });
      const ended = once(run, "exit");
      // Its own command line has it; so have the announcer's, the shell's and the server's.
      await vi.waitFor(() => expect(runningWith(server).length).toBeGreaterThan(3), 60_000);
      const started = runningWith(server);
      run.kill(signal);
      await ended;
      expect(await survivors(started, 10_000)).toEqual([]);
    },
  );

  it.runIf(linux)("measures a server that becomes a daemon, and ends it", async () => {
    const server = join(folder, "echo.cjs");
    const command = `setsid '${process.execPath}' '${server}' {port} > daemon.log & exit 0`;
    const argv = ["target", "--command", command, ...load, "--out", folder, "--json"];
    const { code, stdout } = await bench(...argv);
    expect(code).toBe(0);
    const cells = parseResults(stdout, "standard output").cells;
    const cell = cells.find(({ contender }) => contender === "target");
    expect(cell?.messages).toBeGreaterThan(0);
    expect(["ok", "tie", "inconclusive"]).toContain(cell?.status);
    expect(await survivors(runningWith(server), 5_000)).toEqual([]);
  });

  it.runIf(linux)("refuses a process that does not serve the address", async () => {
    const server = spawn(process.execPath, ["echo.cjs", "0"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const other = spawn("sleep", ["600"], { stdio: "ignore" });
    try {
      const [port] = (await once(server.stdout.setEncoding("utf8"), "data")) as [string];
      const at = ["--address", `127.0.0.1:${port.trim()}`];
      const target = (pid: number | undefined) =>
        bench("target", ...at, "--pid", String(pid), ...load, "--out", folder);
      const wrong = await target(other.pid);
      expect(wrong.code).toBe(1);
      expect(wrong.stdout.replace(/\s+/g, " ")).toContain(
        `process ${other.pid} is not the server of 127.0.0.1:${port.trim()}: neither it nor a ` +
          `child of it holds the listening socket; --pid ${server.pid}`,
      );
      // A parent of the server is as good: what its children use counts.
      expect((await target(process.pid)).code).toBe(0);
    } finally {
      await end(other);
      await end(server);
    }
  });

  it.runIf(linux)("measures a server that runs already and leaves it running", async () => {
    const server = spawn(process.execPath, ["echo.cjs", "0"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [port] = (await once(server.stdout.setEncoding("utf8"), "data")) as [string];
      const at = ["--address", `127.0.0.1:${port.trim()}`, "--pid", String(server.pid)];
      const { code, stdout } = await bench("target", ...at, ...load, "--out", folder, "--json");
      expect(code).toBe(0);
      const cell = parseResults(stdout, "stdout").cells.find(
        ({ contender }) => contender === "target",
      );
      expect(cell?.messages).toBeGreaterThan(0);
      expect(server.exitCode).toBeNull();
      expect(await survivors([server.pid ?? 0], 0)).toEqual([server.pid]);
    } finally {
      await end(server);
    }
  });

  it.runIf(linux)("says why a command cannot be measured", async () => {
    const gone = await bench("target", "--command", "exit 3 # {port}", ...load, "--out", folder);
    expect(gone.code).toBe(1);
    expect(gone.stdout).toMatch(/the command ended \(exit 3\)/);
    const [port, pid] = [String(await freePort()), String(process.pid)];
    const silent = await bench(
      "target",
      "--address",
      `127.0.0.1:${port}`,
      "--pid",
      pid,
      ...load,
      "--out",
      folder,
    );
    expect(silent.code).toBe(1);
    expect(silent.stdout).toMatch(/nothing listens on 127\.0\.0\.1:/);
  });
});

describe("report", () => {
  it("needs a file, and says what is wrong with one that is not ours", async () => {
    writeFileSync(join(folder, "cut.json"), '{"schemaVersion": 1, "prof');
    const lines = [
      ...[[], ["nowhere.json"], ["cut.json"], ["cut.json", "--form", "pdf"]],
      ["results.json", "--out", "x", "--form", "csv"],
    ];
    const outcomes = await commandLines(
      lines.map((words) => ["report", ...words]),
      folder,
    );
    const [none, nowhere, cut, pdf, both] = outcomes;
    expect(none?.stderr).toContain("report takes one file");
    expect(nowhere?.stderr).toContain('cannot read "nowhere.json"');
    expect(cut).toMatchObject({ status: 2, stderr: expect.stringContaining("cut.json") });
    expect(pdf?.stderr).toContain("not one of terminal");
    expect(both?.status).toBe(2);
    expect(both?.stderr).toContain("--out writes every form; omit --form");
  });

  it.runIf(linux)("shows a saved run in every form", async () => {
    const run = "--connections 5 --rate 5000 --duration 0.2 --blocks 1 --budget 1".split(" ");
    const { stdout } = await bench("--contenders", "cpp:poll", ...run, "--out", folder, "--json");
    writeFileSync(join(folder, "results.json"), stdout);
    const forms = {
      terminal: "cpp:poll",
      markdown: "# ",
      html: "<!doctype html>",
      csv: ",",
      json: '"cells"',
    };
    const lines = Object.keys(forms).map((form) => ["report", "results.json", "--form", form]);
    lines.push(["report", ".", "--form", "json"], ["report", "results.json", "--out", "slides"]);
    const shown = await commandLines(lines, folder);
    for (const [i, sign] of Object.values(forms).entries()) {
      expect(shown[i]?.status).toBe(0);
      expect(shown[i]?.stdout.toLowerCase()).toContain(sign);
    }
    const [ofFile, ofFolder, whole] = shown.slice(-3);
    expect(ofFile?.stdout).toBe(stdout); // the form "json"
    expect(ofFolder?.stdout).toBe(stdout);
    expect(whole?.stdout.trim()).toBe(join("slides", "report.html"));
    expect(readdirSync(join(folder, "slides"))).toContain("cells.csv");
  });
});

/** The processes whose command line has this text. */
function runningWith(text: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
