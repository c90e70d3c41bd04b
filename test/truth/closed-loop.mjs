// Whether the suite gets as many requests per second from a server in a closed loop as other
// clients do: wrk from five HTTP servers, redis-benchmark from Redis. The servers have 40 % of a
// CPU, and requests are counted per second of it. check.mjs runs these checks.

import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startedByCommand } from "../../dist/bench/contenders/foreign.js";
import { shellQuoted as q } from "../../dist/bench/gate/worktrees.js";
import { capacityCpuShare } from "../../dist/bench/run/cpu-share.js";
import { startServer } from "../../dist/bench/run/server.js";

const roundSeconds = 3;
const readySeconds = 15;
const reportBlocks = 3;
const python = "/usr/bin/python3";

const nginxConf = (folder) => `
daemon off; worker_processes 1; user root; pid ${folder}/nginx-PORT.pid; error_log /dev/null;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 1000000000;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ")}
  server { listen 127.0.0.1:PORT backlog=4096; location / { return 200 "hello"; } }
}`;

const nodeServer = `import { createServer } from "node:http";
createServer((_request, response) => response.end("hello"))
  .listen({ port: +process.argv[2], host: "127.0.0.1", backlog: 4096 });`;

const pythonServer = `import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 4096
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()`;

const aiohttpServer = `import sys
from aiohttp import web
async def hello(_): return web.Response(text="hello")
app = web.Application()
app.router.add_get("/", hello)
listen = {"host": "127.0.0.1", "port": int(sys.argv[1]), "backlog": 4096}
web.run_app(app, **listen, access_log=None, print=None)`;

/** By name, each with a shell's command that listens on {port}. */
function httpServers({ root }, folder) {
  const file = (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const conf = file("nginx.conf", nginxConf(folder));
  const own = `${folder}/nginx-{port}.conf`;
  const node = q(process.execPath);
  return [
    ["nginx", `sed s/PORT/{port}/ ${q(conf)} > ${q(own)} && exec nginx -c ${q(own)}`],
    ["example", `exec ${node} ${q(`${root}/dist/examples/06-http-hello.js`)} {port}`],
    ["node-http", `exec ${node} ${q(file("hello.mjs", nodeServer))} {port}`],
    ["aiohttp", `exec ${python} ${q(file("hello_aiohttp.py", aiohttpServer))} {port}`],
    ["python-http-server", `exec ${python} ${q(file("hello.py", pythonServer))} {port}`],
  ].map(([name, command]) => ({ name, command }));
}

/** @throws {Error} that names what to install */
function requirePrograms(...probes) {
  for (const [name, ...argv] of probes) {
    if (spawnSync(argv[0], argv.slice(1)).error !== undefined) throw new Error(`install ${name}`);
  }
}

/**
 * Runs the server while `use` runs with its port and pid. It has a part of its CPU, so that it is
 * saturated and not its clients, which cost more per request than a good server.
 */
async function withServer({ command }, host, use) {
  const { server: cpu } = await host.cpus();
  const cpuShare = host.cpuShare(capacityCpuShare);
  const row = startedByCommand({ name: "server", command, readySeconds, spoken: [] });
  let server = null;
  try {
    const started = await startServer(row.command(host.paths, 1), {
      ...{ host, cpu, cpuShare, signal: new AbortController().signal },
      ...{ readyTimeoutMs: row.readyWithinMs, stopTimeoutMs: 5_000 },
    });
    if (!("server" in started)) throw new Error(`${command}: ${started.failure}`);
    server = started.server;
    return await use(server);
  } finally {
    await server?.stop();
    cpuShare?.remove();
  }
}

async function onClient(cpu, ...argv) {
  const pinned = ["-c", String(cpu), ...argv.map(String)];
  const { stdout } = await promisify(execFile)("taskset", pinned, { maxBuffer: 1e9 });
  return stdout;
}

/** Requests per second of the suite's generator, every answer checked. */
async function byGenerator({ loadGenerator }, cpu, { port, connections, depth, spoken }) {
  const inFlight = ["--in-flight", connections * depth, "--depth", depth];
  const scale = ["--port", port, "--connections", connections, ...inFlight];
  const timing = ["--windows", roundSeconds * 2, "--window-ms", 500, "--warmup-ms", 300];
  const argv = [loadGenerator, "run", ...scale, ...timing, "--mode", "closed", ...spoken];
  const events = (await onClient(cpu, ...argv))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const windows = events.filter(({ event }) => event === "window");
  const sum = (field) => windows.reduce((total, window) => total + window[field], 0);
  return sum("completedMessages") / (sum("durationNs") / 1e9);
}

async function byWrk(cpu, { port, connections }) {
  const load = ["-t1", `-c${connections}`, `-d${roundSeconds}s`];
  const said = await onClient(cpu, "wrk", ...load, `http://127.0.0.1:${port}/`);
  return numberIn(said, /Requests\/sec:\s*([\d.]+)/);
}

async function byRedisBenchmark(cpu, { port, connections, depth }) {
  const load = ["-p", port, "-c", connections, "-P", depth, "-n", 1_500_000];
  return numberIn(
    await onClient(cpu, "redis-benchmark", ...load, "-t", "ping_inline", "-q"),
    /.*[^\d.]([\d.]+) requests per second/s,
  );
}

function numberIn(text, pattern) {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`no requests per second in: ${text}`);
  return Number(found);
}

const medianOf = (figures) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)];
const whole = (figure) => Math.round(figure).toLocaleString("en");

/** Requests per second that `client` reports, the server's CPU in use, and what follows of both. */
async function timed(host, { pid }, client) {
  const before = [performance.now(), (await host.usage(pid)).cpuNs];
  const perSecond = await client();
  const after = [performance.now(), (await host.usage(pid)).cpuNs];
  const used = (after[1] - before[1]) / 1e6 / (after[0] - before[0]);
  return { perSecond, used, perCpuSecond: perSecond / used };
}

/**
 * The other client and the generator in turn.
 * @returns the medians of each, the medians of the ratios, and a sentence with all of them
 */
async function inTurn({ host, rounds, name }, server, { theirs, other, ours }) {
  const found = [];
  for (let round = 0; round < rounds; round++) {
    const [one, own] = [await timed(host, server, theirs), await timed(host, server, ours)];
    found.push({ one, own });
  }
  const median = (figure) => medianOf(found.map(figure));
  const words = (of) => {
    const [perSecond, used] = [
      median((pair) => of(pair).perSecond),
      median((pair) => of(pair).used),
    ];
    return `${whole(perSecond)}/s with ${(100 * used).toFixed(0)} % of a CPU`;
  };
  const ratio = median(({ one, own }) => own.perCpuSecond / one.perCpuSecond);
  return {
    ...{ ratio, perCpuSecond: median(({ one }) => one.perCpuSecond) },
    words:
      `${name}: ${other} ${words(({ one }) => one)}, the generator ${words(({ own }) => own)}; ` +
      `median ratio per CPU second ${ratio.toFixed(3)}`,
  };
}

/**
 * Each server under wrk and under the generator, then all in one `target` command.
 * @param given `host`, `connections`, `rounds`, `bound` in per cent, `out`, and `verdict`, which is
 * told each result.
 */
export async function againstWrk({ host, connections, rounds, bound, out, verdict }) {
  requirePrograms(["wrk", "wrk", "-v"], ["nginx", "nginx", "-v"], ["python3", python, "-V"]);
  const { client } = await host.cpus();
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-http-"));
  try {
    const servers = httpServers(host.paths, folder);
    const wrk = new Map();
    for (const row of servers) {
      const found = await withServer(row, host, (server) => {
        const load = { port: server.port, connections, depth: 1, spoken: ["--protocol", "http"] };
        return inTurn({ host, rounds, name: row.name }, server, {
          ...{ theirs: () => byWrk(client, load), other: "wrk" },
          ours: () => byGenerator(host.paths, client, load),
        });
      });
      wrk.set(row.name, found.perCpuSecond);
      verdict(Math.abs(found.ratio - 1) <= bound / 100, `${bound} %`, found.words);
    }
    compareReport(byTarget(host.paths, servers, { connections, out }), wrk, { bound, verdict });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns by server, CPU time per request and the requests per second of the report. */
function byTarget({ root }, servers, { connections, out }) {
  mkdirSync(out, { recursive: true });
  const named = servers.flatMap(({ name, command }) => ["--name", name, "--command", command]);
  const load = ["--connections", String(connections), "--workloads", "rate,capacity"];
  const kept = ["--blocks", String(reportBlocks), "--out", out, "--json"];
  const argv = [join(root, "dist/bench/cli.js"), "target", ...named, "--protocol", "http"];
  // It exits with 1 if a server failed: then the report has no figure of it.
  const { stdout } = spawnSync(process.execPath, [...argv, ...load, ...kept], {
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  const { cells } = JSON.parse(String(stdout));
  return servers.map(({ name }) => {
    const figure = (workload, metric) =>
      cells.find((cell) => cell.contender === name && cell.workload === workload)?.metrics[metric]
        ?.median ?? null;
    return {
      name,
      cpuUs: figure("echo-rate", "serverCpuPerMessage"),
      perSecond: figure("echo-capacity", "messagesPerCpuSecond"),
    };
  });
}

function compareReport(rows, wrk, { bound, verdict }) {
  for (const { name, cpuUs, perSecond } of rows) {
    const cpu = cpuUs === null ? "no CPU time" : `${cpuUs.toFixed(1)} µs of CPU per request`;
    console.log(
      `${name}: ${cpu}, ${perSecond === null ? "no" : whole(perSecond)} requests per CPU second`,
    );
  }
  const complete = rows.every(({ cpuUs, perSecond }) => cpuUs !== null && perSecond !== null);
  verdict(complete, "the report", `every server has both figures`);
  const pairs = rows.flatMap((one, index) => rows.slice(index + 1).map((other) => [one, other]));
  // Servers that wrk itself does not distinguish have no order.
  const ordered = pairs.filter(
    ([one, other]) => Math.abs(Math.log(wrk.get(one.name) / wrk.get(other.name))) > bound / 100,
  );
  const same = ordered.filter(
    ([one, other]) => wrk.get(one.name) > wrk.get(other.name) === one.perSecond > other.perSecond,
  );
  const words = `the report orders ${same.length} of ${ordered.length} pairs of servers as wrk`;
  verdict(same.length === ordered.length, "all of them", words);
}

/**
 * Requests in flight per connection. One at a time, redis-benchmark needs more CPU per request than
 * Redis, which then waits for it: 70 % of its CPU, and a switch per six requests.
 */
const pipelined = 16;

/** Redis under redis-benchmark and under the generator, by `given` as above. */
export async function againstRedisBenchmark({ host, connections, rounds, bound, verdict }) {
  requirePrograms(["redis-tools", "redis-benchmark", "-v"], ["redis", "redis-server", "-v"]);
  const { client } = await host.cpus();
  const spoken = ["--protocol", "request", "--send", "PING\\r\\n", "--expect", "+PONG\\r\\n"];
  const command = "exec redis-server --port {port} --save '' --appendonly no";
  const found = await withServer({ command }, host, (server) => {
    const load = { port: server.port, connections, depth: pipelined, spoken };
    return inTurn({ host, rounds, name: "Redis" }, server, {
      ...{ theirs: () => byRedisBenchmark(client, load), other: "redis-benchmark" },
      ours: () => byGenerator(host.paths, client, load),
    });
  });
  verdict(Math.abs(found.ratio - 1) <= bound / 100, `${bound} %`, found.words);
}
