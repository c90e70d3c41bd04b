// target: servers of others over HTTP and over requests, one or several, with thresholds; and what
// cannot be measured, each said in one line.

import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseOptions } from "../bench/command-line.ts";
import { failuresOf, readThreshold, type Threshold } from "../bench/model/thresholds.ts";
import { packagePaths } from "../bench/paths.ts";
import { parseResults } from "../bench/report/json.ts";
import { protocolRows, shownOptions, spokenBy } from "../bench/run/protocol.ts";
import { commandLines, type Said as Refused } from "./command-lines.ts";
import { hasIpv6Loopback, withoutIpv6 } from "./ipv6.ts";
import { measuredCell } from "./report-data.ts";

const linux = process.platform === "linux";
const cli = join(packagePaths().root, "dist", "bench", "cli.js");
let folder = "";

/** Answers "ok", or on /bad with another status from the 30th request on; PORT [HOST]. */
const httpServer = `
  let requests = 0;
  require("node:http")
    .createServer((request, response) => {
      if (request.url === "/bad" && ++requests > 30) response.statusCode = 500;
      response.end("ok");
    })
    .listen(Number(process.argv[2]), process.argv[3] ?? "127.0.0.1", function () {
      console.log(this.address().port);
    });
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-target-"));
  writeFileSync(join(folder, "http.cjs"), httpServer);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function target(...argv: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    const options = { cwd: folder, maxBuffer: 1 << 26 };
    const words = [cli, "target", ...argv];
    const child = execFile(process.execPath, words, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const brief = "--connections 5 --rate 200 --duration 0.3 --blocks 1 --budget 1".split(" ");
const server = (...rest: readonly string[]) => `'${process.execPath}' http.cjs {port} ${rest}`;
const http = (...argv: readonly string[]) =>
  target(...argv, "--protocol", "http", ...brief, "--out", folder);

describe("target over HTTP", () => {
  it("compares commands by name, the first of them as the baseline", async () => {
    const { code, stdout } = await http(
      ...["--name", "old", "--command", server(), "--name", "new", "--command", server()],
      ...["--path", "/x", "--expect-body", "ok", "--json", "--fail-if", "errors > 0"],
    );
    const { cells, reference, settings } = parseResults(stdout, "standard output");
    expect(reference).toBe("old");
    expect(new Set(cells.map(({ contender }) => contender))).toEqual(new Set(["old", "new"]));
    for (const { messages, mismatches } of cells) {
      expect(messages).toBeGreaterThan(0);
      expect(mismatches).toBe(0);
    }
    expect(settings["options"]).toMatchObject({ protocol: "http" });
    expect(cells.every(({ status }) => status !== "failed")).toBe(true);
    expect(code).toBe(cells.some(({ status }) => status !== "skipped") ? 0 : 1);
  });

  it("fails clearly where an answer is wrong, and says so for a threshold", async () => {
    const { code, stdout, stderr } = await http(
      ...["--command", server(), "--path", "/bad", "--fail-if", "errors > 0"],
    );
    expect(code).toBe(1);
    expect(stdout.replace(/\s+/g, " ")).toMatch(
      /answers? with another status; the first: .* \(GET \/bad\): status 500, expected 200/,
    );
    expect(stderr).toMatch(/^fail-if errors > 0: target, .*: [\d,]+$/m);
  });

  it("keeps the figures of a server that fails after its last window, with a caution", async () => {
    // As servers do that take the end of a connection for an error.
    const fails = `.on("connection", (one) => one.on("end", () => process.exit(3))).listen(`;
    writeFileSync(join(folder, "failing.cjs"), httpServer.replace(".listen(", fails));
    const command = `exec '${process.execPath}' failing.cjs {port}`;
    let told: string | undefined;
    // Whether its end is seen before it is asked for is a matter of moments.
    for (let attempt = 0; attempt < 5 && told === undefined; attempt++) {
      const { code, stdout } = await http("--command", command, "--json");
      const [only] = parseResults(stdout, "standard output").cells;
      expect(only?.status).not.toBe("failed");
      expect(only?.messages).toBeGreaterThan(0);
      expect(code).not.toBe(1);
      told = only?.afterwards;
    }
    expect(told).toMatch(/exited with code 3|ended/);
  });

  it.runIf(linux)("measures a server that runs already, by its URL", async () => {
    const child = await startHttp();
    try {
      const { code, stdout } = await target(
        ...["--url", `http://localhost:${child.port}/x?y=1`, "--pid", String(child.process.pid)],
        ...[...brief, "--out", folder, "--json"],
      );
      expect(code).toBe(0);
      const [only] = parseResults(stdout, "standard output").cells;
      expect(only?.messages).toBeGreaterThan(0);
      expect(child.process.exitCode).toBeNull();
    } finally {
      await end(child.process);
    }
  });

  it.skipIf(spawnSync("openssl", ["version"]).error !== undefined)(
    "measures over TLS, and gives the reason if a certificate is refused",
    async () => {
      const made = spawnSync(
        "openssl",
        [
          ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=local"],
          ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        ],
        { cwd: folder },
      );
      expect(made.status, String(made.stderr)).toBe(0);
      const identity = `{ key: require("node:fs").readFileSync("key.pem"),
        cert: require("node:fs").readFileSync("cert.pem") }, `;
      const secure = httpServer
        .replace("node:http", "node:https")
        .replace(".createServer(", `.createServer(${identity}`);
      writeFileSync(join(folder, "https.cjs"), secure);
      const command = `'${process.execPath}' https.cjs {port}`;
      const trusted = ["--tls", "--tls-ca", "cert.pem", "--expect-body", "ok", "--json"];
      const { stdout } = await http("--command", command, ...trusted);
      const [only] = parseResults(stdout, "standard output").cells;
      expect(only?.status).not.toBe("failed");
      expect(only?.messages).toBeGreaterThan(0);
      const refused = await http("--command", command, "--tls");
      expect(refused.code).toBe(1);
      expect(refused.stdout.replace(/\s+/g, " ")).toMatch(
        /failed: TLS with 127\.0\.0\.1:\d+ failed: certificate verify failed: self.signed/,
      );
    },
  );

  const groups = ["", "unified", "cpu"].map((name) => join("/sys/fs/cgroup", name));
  const root = groups.find((folder) => existsSync(join(folder, "cgroup.procs"))) ?? "";
  it.runIf(linux && root !== "" && process.getuid?.() === 0)(
    "takes the CPU time of a control group",
    async () => {
      const name = `io-selectors-test-${process.pid}`;
      const group = join(root, name);
      mkdirSync(group);
      const older = spawn("sleep", ["60"]);
      const child = await startHttp();
      const announced = spawn(process.execPath, [
        "dist/bench/contenders/announce.js",
        ...["cgroup", String(child.port), group],
      ]);
      try {
        for (const { pid } of [older, child.process]) {
          writeFileSync(join(group, "cgroup.procs"), String(pid));
        }
        const [line] = (await once(announced.stdout.setEncoding("utf8"), "data")) as [string];
        expect(JSON.parse(line)).toMatchObject({ port: child.port, pid: child.process.pid });
        const { code, stdout } = await target(
          ...["--url", `http://127.0.0.1:${child.port}/`, "--cgroup", name],
          ...[...brief, "--out", folder, "--json"],
        );
        expect(code).toBe(0);
        const [only] = parseResults(stdout, "standard output").cells;
        expect(only?.messages).toBeGreaterThan(0);
        expect(only?.metrics.serverCpuPerMessage?.median).toBeGreaterThan(0);
      } finally {
        for (const each of [announced, child.process, older]) await end(each);
        rmdirSync(group);
      }
    },
  );

  async function startHttp(): Promise<{ readonly process: ChildProcess; readonly port: number }> {
    const child = spawn(process.execPath, ["http.cjs", "0"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [port] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    return { process: child, port: Number(port) };
  }

  async function end(child: ChildProcess): Promise<void> {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
});

describe("a command that is not reached", () => {
  it.runIf(linux && hasIpv6Loopback)(`says where it listens instead${withoutIpv6}`, async () => {
    const command = `'${process.execPath}' http.cjs 0 ::1 # {port}`;
    // A busy machine may need longer until it listens: then again, with more time for that.
    let said: Said | undefined;
    for (const seconds of [1.5, 10, 60]) {
      said = await http("--command", command, "--ready-within", String(seconds));
      if (said.stdout.includes("the command listens on")) break;
    }
    expect(said?.code).toBe(1);
    expect(said?.stdout.replace(/\s+/g, " ")).toMatch(
      /after [\d.]+ s \(--ready-within\); the command listens on \[::1\]:\d+/,
    );
  });

  it.runIf(linux)("says that it was not ready in time", async () => {
    const { code, stdout } = await http("--command", "sleep 60 # {port}", "--ready-within", "0.3");
    expect(code).toBe(1);
    expect(stdout.replace(/\s+/g, " ")).toMatch(/after 0\.3 s \(--ready-within\)/);
  });
});

describe("what is refused before anything starts", () => {
  const command = ["--command", "x {port}"];
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [[...command, "--command", "y {port}"], /2 --command and 0 --name; give one --name per/],
    [["--name", "a", ...command, "--name", "a", ...command], /--name: "a" is the name of another/],
    [["--name", "node:net", ...command], /--name: "node:net" is the name of another/],
    [["--name", "a b", ...command], /"a b" must have 1 to 40 letters/],
    [[...command, "--pid", "1"], /--pid needs --address or --url/],
    [[...command, "--protocol", "gopher"], /"gopher" is not one of echo, http, request/],
    [[...command, "--path", "/x"], /--path needs --protocol http$/m],
    [[...command, "--depth", "2"], /--depth needs --protocol http or request$/m],
    [
      [...command, "--protocol", "request", "--method", "GET"],
      /^bench: --method needs --protocol http$/m,
    ],
    [[...command, "--protocol", "http", "--path", "x"], /--path: "x" has to begin with \//],
    [[...command, "--protocol", "request"], /--send is missing/],
    [
      ["--url", "https://127.0.0.1/", "--tls-ca", "/nowhere.pem", "--pid", "1"],
      /--tls(-ca: .nowhere.pem| is not available)/,
    ],
    [["--url", "http://127.0.0.1/", "--tls"], /is not over TLS/],
    [["--url", "ftp://127.0.0.1/"], /is not http:/],
    [["--url", "ftp://127.0.0.1/"], /is not http:/],
    [["--url", "http://10.0.0.1/", "--pid", "1"], /"10\.0\.0\.1:80" is not 127\.0\.0\.1:PORT/],
    [["--url", "http://127.0.0.1:7/"], /needs --pid: .* or --cgroup/],
    [["--url", "http://127.0.0.1:7/", "--cgroup", "no/such"], /no\/such is not a control group/],
    [[...command, "--fail-if", "p99 is bad"], /"p99 is bad" is not of the form 'p99 > 5ms'/],
    [[...command, "--fail-if", "p98 > 5ms"], /there is no figure "p98"; one of: errors, p50/],
    [[...command, "--fail-if", "p99 > 5KiB"], /p99 cannot end with "KiB"; use ns, us/],
    [[...command, "--fail-if", "serverMemory > 5MiB"], /serverMemory is not measured by echo-rate/],
    [
      // The workload measures the first of them.
      [...command, "--workloads", "slow-readers", "--fail-if", "ratioToBaseline > 2"].concat([
        ...["--fail-if", "idleCpuPercent > 5"],
      ]),
      /"idleCpuPercent > 5": idleCpuPercent is not measured by slow-readers/,
    ],
    [
      [...command, "--workloads", "capacity", "--fail-if", "rps < 1000"],
      /throughput is not measured by echo-capacity; messagesPerCpuSecond is/,
    ],
    [[...command, "--workloads", "capacity", "--rate", "9"], /no rate in echo-capacity/],
    [[...command, "--workloads", "memory", "--connections", "1"], /use 2 or more/],
    [[...command, "--protocol", "http", "--payload", "9"], /--payload needs --protocol echo/],
    [[...command, "--protocol", "http", "--fail-if", "ratio > 1.2"], /needs a second --command/],
    [[...command, "--workloads", "broadcast"], /broadcast measures the suite's own programs/],
    [[...command, "--workloads", "rate,replicas"], /replicas measures the suite's own programs/],
  ];
  let said: readonly Refused[] = [];
  beforeAll(async () => {
    said = await commandLines(
      rows.map(([argv]) => ["target", ...argv]),
      folder,
    );
  });

  it.each(rows.map(([argv, message], index) => [argv, message, index] as const))(
    "%j",
    (_argv, message, index) => {
      const { status, stdout, stderr = "" } = said[index] ?? {};
      expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
      expect(stderr).toMatch(message);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    },
  );
});

describe("what a report tells of the requests", () => {
  it("is no secret and no path", () => {
    const given = parseOptions(
      [
        ...["--protocol", "http", "--header", "Authorization: Bearer x", "--path", "/health?key=x"],
        ...["--body-file", "/home/me/x", "--method", "PUT", "--depth", "4"],
      ],
      protocolRows,
    );
    expect(shownOptions(given, spokenBy(given))).toEqual({
      ...{ protocol: "http", method: "PUT", depth: 4 },
      ...{ header: "…", path: "/health?…", "body-file": "…" },
    });
  });
});

describe("a threshold", () => {
  const read = (text: string) => readThreshold(text) as Threshold;

  it("on errors holds where nothing was measured", () => {
    const cell = measuredCell("target", { cpu: 10, p50: 1, p99: 2, percent: 10 });
    const unmeasured = { ...cell, status: "skipped", blocks: 0, mismatches: 0 } as const;
    expect(failuresOf(read("errors > 0"), [cell])).toEqual([]);
    expect(failuresOf(read("errors > 0"), [unmeasured])).toEqual([
      expect.stringMatching(/not measured$/),
    ]);
  });

  it.each([
    ["p99 > 5ms", "latencyP99", 5000],
    ["p99.9 > 1", null, 0],
    ["cpuPerMessage >= 40us", "serverCpuPerMessage", 40],
    ["cpuPerRequest>0.5 µs", "serverCpuPerMessage", 0.5],
    ["rps < 20k", "throughput", 20_000],
    ["serverMemory > 1.5MiB", "serverMemory", 1.5 * 2 ** 20],
    ["ratio > 1.05x", "ratioToReference", 1.05],
  ])("%s", (text, metric, value) => {
    const threshold = readThreshold(text);
    if (metric === null) expect(threshold).toMatch(/is not of the form/);
    else expect(threshold).toMatchObject({ metric, value });
  });

  const slow = {
    ...measuredCell("mine", { cpu: 9, p50: 100, p99: 5000, percent: 10 }),
    status: "ok" as const,
    mismatches: 0,
    metrics: { latencyP99: { unit: "us", median: 5000, low: null, high: null, blocks: [] } },
  };

  it("holds or not, at its edge too; a figure that is missing never holds", () => {
    expect(failuresOf(read("p99 > 5ms"), [slow])).toEqual([]);
    expect(failuresOf(read("p99 >= 5ms"), [slow])).toHaveLength(1);
    expect(failuresOf(read("p99 < 6ms"), [slow])[0]).toMatch(/^p99 < 6ms: mine, .*: 5,000 µs$/);
    expect(failuresOf(read("p50 > 1s"), [slow])[0]).toMatch(/not measured$/);
    expect(failuresOf(read("errors > 0"), [slow])).toEqual([]);
    expect(failuresOf(read("errors > 0"), [{ ...slow, status: "failed" }])).toHaveLength(1);
  });

  it("takes no name that every object has", () => {
    expect(readThreshold("p99 > 5constructor")).toMatch(/cannot end with "constructor"/);
    expect(readThreshold("constructor > 1")).toMatch(/there is no figure "constructor"/);
  });

  it("is reported with the whole load, and a figure without an exponent", () => {
    const latencyP99 = { unit: "us", median: 12_345.678, low: null, high: null, blocks: [] };
    const cell = { ...slow, payloadBytes: 256, variant: "depth 16", metrics: { latencyP99 } };
    expect(failuresOf(read("p99 > 5ms"), [cell])).toEqual([
      "p99 > 5ms: mine, echo-rate, 10,000 connections, 256-byte messages, depth 16: 12,345.7 µs",
    ]);
  });
});
