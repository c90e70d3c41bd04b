// --live without a browser: which requests are answered, what a page receives, that only this
// machine can connect, and that nothing remains after the end or a signal.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Host } from "../bench/host/host.ts";
import { usageOf } from "../bench/host/usage.ts";
import { Feed } from "../bench/live/feed.ts";
import { isOwnHost, LiveServer } from "../bench/live/http.ts";
import { type Sample, Sampler, UsageReader } from "../bench/live/sampler.ts";
import type { LiveMessage } from "../bench/model/live.ts";
import { packagePaths } from "../bench/paths.ts";
import { parseResults } from "../bench/report/json.ts";
import { livePlan, progressOf } from "./live-data.ts";

const linux = process.platform === "linux";

interface Got {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function get(url: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, method }, (response: IncomingMessage) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          type: String(response.headers["content-type"]),
          text,
        }),
      );
    });
    asked.on("error", reject).end();
  });
}

/** The local addresses that listen on a port, as the kernel writes them. proc(5), net/tcp */
function listeners(port: number): string[] {
  const listening = "0A";
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  // A kernel without IPv6 has the first only.
  return ["/proc/net/tcp", "/proc/net/tcp6"].filter(existsSync).flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = "", , state]) => local.endsWith(`:${hex}`) && state === listening)
      .map(([, local = ""]) => local.split(":")[0] ?? ""),
  );
}

describe("the live server", () => {
  const open = () => LiveServer.listen({ port: 0, page: "<p>page</p>", past: () => [] });

  it("has a page, and a report only at the end", async () => {
    const live = await open();
    expect(await get(live.url)).toEqual({
      ...{ status: 200, type: "text/html; charset=utf-8", text: "<p>page</p>" },
    });
    expect((await get(`${live.url}report.html`)).status).toBe(404);
    expect((await get(`${live.url}etc/passwd`)).status).toBe(404);
    expect((await get(live.url, {}, "POST")).status).toBe(405);
    await live.close();
  });

  it.each(["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "[::1]:PORT"])(
    "refuses the Host %s",
    async (name) => {
      const live = await open();
      const host = name.replace("PORT", String(live.port));
      for (const path of ["", "events", "report.html"]) {
        const got = await get(live.url + path, { host });
        expect(got.status).toBe(403);
        expect(got.text).not.toContain("page");
      }
      await live.close();
    },
  );

  it("takes the Host of a browser on port 80, which omits the port", () => {
    const names = ["127.0.0.1", "localhost", "127.0.0.1:80", "localhost:80"];
    expect(names.map((name) => isOwnHost(name, 80))).toEqual([true, true, true, true]);
    expect(names.map((name) => isOwnHost(name, 8080))).toEqual([false, false, false, false]);
    const foreign = [undefined, "", "evil.example", "evil.example:80", "127.0.0.1:8080"];
    for (const name of foreign) expect(isOwnHost(name, 80)).toBe(false);
  });

  it.runIf(linux)("listens on 127.0.0.1 and nowhere else", async () => {
    const live = await open();
    expect(listeners(live.port)).toEqual(["0100007F"]);
    await live.close();
    expect(listeners(live.port)).toEqual([]);
  });

  it("hands over the report to open pages, and waits for no other", async () => {
    const live = await open();
    const { url } = live;
    const alone = performance.now();
    const events = get(`${url}events`).catch(() => null);
    while ((await get(url)).status !== 200) await delay(5);
    await delay(50);
    const over = live.handOver("<p>report</p>", () => live.send({ kind: "finished", data: null }));
    expect((await get(`${url}report.html`)).text).toBe("<p>report</p>");
    await over;
    await events;
    expect(performance.now() - alone).toBeLessThan(30_000);
    await expect(get(url)).rejects.toThrow();
  });

  it("ends though a client never fetches it, and though one never asks", async () => {
    const live = await open();
    const mute = connect(live.port, "127.0.0.1");
    await once(mute, "connect");
    const events = get(`${live.url}events`).catch(() => null);
    await delay(50);
    await live.handOver("", () => {});
    await events;
    mute.destroy();
    await expect(get(live.url)).rejects.toThrow();
  });
});

describe("the feed", () => {
  it("tells who comes late all that there was, in a bounded space", () => {
    const told: LiveMessage[] = [];
    const plan = livePlan();
    const feed = new Feed(plan, (message) => told.push(message));
    for (const progress of progressOf(plan, 3)) feed.hear(progress);
    for (let i = 0; i < 2_000; i++) {
      feed.add([{ contender: "cpp:poll", cpuPercent: i, memoryBytes: 1, agoMs: 0 }]);
    }
    const past = feed.past();
    const rounds = past.filter(({ kind }) => kind === "round").map(({ data }) => data);
    expect(rounds).toHaveLength(3);
    expect(rounds[0]).toMatchObject({ throughput: 2_000, cpuPerMessage: 10, problem: null });
    const samples = past.find(({ kind }) => kind === "samples")?.data;
    expect(samples).toHaveLength(1_000);
    expect(past[0]).toMatchObject({ kind: "status", data: { done: 3 } });
    feed.finish();
    expect(feed.past().at(-1)).toEqual({ kind: "finished", data: null });
    expect(told.at(-1)).toEqual({ kind: "finished", data: null });
  });

  it("names all servers between which the load turns", () => {
    const plan = livePlan();
    const feed = new Feed(plan, () => {});
    const status = () => feed.past()[0]?.data;
    const progress = progressOf(plan, 2);
    for (const one of progress.filter(({ event }) => event === "round-started")) feed.hear(one);
    expect(status()).toMatchObject({ running: ["cpp:poll", "cpp:reactor-epoll"] });
    expect(status()).toMatchObject({ doing: expect.stringMatching(/^2 servers in turn: echo-/) });
    const ended = progress.filter(({ event }) => event === "round-ended");
    for (const one of ended.slice(0, 1)) feed.hear(one);
    expect(status()).toMatchObject({ running: ["cpp:reactor-epoll"] });
    expect(status()).toMatchObject({
      doing: expect.stringMatching(/^cpp:reactor-epoll: echo-rate/),
    });
  });
});

describe("the sampler", () => {
  const stat = (ticks: number, threads: number) => {
    const fields = Array.from({ length: 50 }, () => "0");
    Object.assign(fields, { 0: "S", 11: String(ticks), 12: "0", 17: String(threads), 21: "256" });
    return `7 (a) b) ${fields.join(" ")}`;
  };

  it("takes nanoseconds of one thread, ticks of several, and children along", () => {
    const files: Record<string, string> = {
      "/proc/7/stat": stat(0, 1),
      "/proc/7/schedstat": "1000000 0 0",
    };
    const reader = new UsageReader();
    const usage = () => usageOf(7, (path) => files[path] ?? null);
    expect(reader.take(usage(), 0)).toEqual({ cpuPercent: null, memoryBytes: 256 * 4096 });
    files["/proc/7/schedstat"] = "51000000 0 0";
    expect(reader.take(usage(), 100)?.cpuPercent).toBeCloseTo(50);
    files["/proc/7/stat"] = stat(15, 4);
    files["/proc/7/task/7/children"] = "8 9 ";
    files["/proc/8/stat"] = stat(0, 2);
    expect(reader.take(usage(), 200)).toEqual({
      cpuPercent: expect.closeTo(99) as number,
      memoryBytes: 2 * 256 * 4096,
    });
  });

  it("never loses the CPU time of threads that have ended", () => {
    const files: Record<string, string> = {
      "/proc/7/stat": stat(90, 1000),
      "/proc/7/schedstat": "1000000 0 0",
    };
    const usage = () => usageOf(7, (path) => files[path] ?? null)?.cpuNs;
    const before = usage() ?? 0;
    files["/proc/7/stat"] = stat(90, 1);
    expect(usage()).toBe(before);
  });

  it("reads all servers that run at one time, until the round of each is over", async () => {
    const cpuNs: Record<number, number> = { 7: 0, 8: 0 };
    const usage = (pid: number) => {
      cpuNs[pid] = (cpuNs[pid] ?? 0) + 1e6 * pid;
      return { cpuNs: cpuNs[pid], memoryBytes: pid };
    };
    const taken: Sample[] = [];
    let hear = () => {};
    const sampler = new Sampler({ usage } as unknown as Host, (samples) => {
      taken.push(...samples);
      hear();
    });
    const until = (enough: () => boolean) =>
      new Promise<void>((resolve) => {
        hear = () => enough() && resolve();
      });
    const of = (contender: string) => taken.filter((sample) => sample.contender === contender);
    sampler.watch("cpp:poll", 7);
    sampler.watch("node:net", 8);
    await until(() => of("cpp:poll").length >= 2 && of("node:net").length >= 2);
    expect(new Set(of("cpp:poll").map(({ memoryBytes }) => memoryBytes))).toEqual(new Set([7]));
    expect(new Set(of("node:net").map(({ memoryBytes }) => memoryBytes))).toEqual(new Set([8]));
    expect(taken.every(({ cpuPercent }) => (cpuPercent ?? 0) > 0)).toBe(true);
    sampler.rest("cpp:poll");
    const [before, others] = [of("cpp:poll").length, of("node:net").length];
    await until(() => of("node:net").length >= others + 2);
    expect(of("cpp:poll")).toHaveLength(before);
    sampler.stop();
  });

  it("says nothing of too many processes, and ends with its own", () => {
    const files: Record<string, string> = { "/proc/7/stat": stat(5, 2) };
    const reader = new UsageReader();
    const usage = () => usageOf(7, (path) => files[path] ?? null);
    files["/proc/7/task/7/children"] = Array.from({ length: 17 }, (_, i) => i + 8).join(" ");
    expect(reader.take(usage(), 0)).toEqual({ cpuPercent: null, memoryBytes: null });
    expect(
      reader.take(
        usageOf(8, () => null),
        0,
      ),
    ).toBeNull();
  });
});

describe.runIf(linux)("bench --live", () => {
  const cli = join(packagePaths().root, "dist", "bench", "cli.js");
  const small = ["--connections", "20", "--rate", "5000", "--duration", "0.3", "--blocks"];
  const started = new Set<ChildProcessByStdio<null, Readable, Readable>>();
  let out = "";

  beforeEach(() => {
    out = mkdtempSync(join(tmpdir(), "io-selectors-live-"));
  });

  afterEach(() => {
    for (const child of started) child.kill("SIGKILL");
    started.clear();
    rmSync(out, { recursive: true, force: true });
  });

  async function run(...argv: string[]) {
    const child = spawn(process.execPath, [cli, ...argv, "--contenders", "cpp:poll"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    started.add(child);
    const ended = once(child, "close");
    child.stdout.resume();
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const address = /live: (http:\/\/127\.0\.0\.1:(\d+)\/)\n/;
    while (!address.test(stderr)) await once(child.stderr, "data");
    const [, url = "", port = ""] = address.exec(stderr) ?? [];
    return { child, url, port: Number(port), ended: ended.then(([code]) => code as number) };
  }

  it("shows a run to its end, the report with it, and is in the results", async () => {
    const { url, port, ended } = await run(...small, "1", "--live", "--out", out);
    expect(listeners(port)).toEqual(["0100007F"]);
    const page = await get(url);
    expect(page.text).toContain("cpp:poll");
    const fetched: Promise<Got>[] = [];
    const events = await new Promise<string>((resolve, reject) => {
      request(`${url}events`, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
          if (!chunk.includes("event: finished") || fetched.length > 0) return;
          fetched.push(get(`${url}report.html`));
        });
        response.on("error", () => resolve(text));
        response.on("close", () => resolve(text));
      })
        .on("error", reject)
        .end();
    });
    expect(await ended).toBe(0);
    for (const kind of ["status", "samples", "round", "finished"]) {
      expect(events).toContain(`event: ${kind}\n`);
    }
    expect(events).toMatch(/"cpu":\d/);
    expect((await fetched[0])?.text).toMatch(/^<!doctype html>.*cpp:poll.*<\/html>\n$/s);
    expect(listeners(port)).toEqual([]);
    const text = readFileSync(join(out, "latest", "results.json"), "utf8");
    const { settings } = parseResults(text, "results.json");
    expect(settings["options"]).toMatchObject({ live: true });
    const report = readFileSync(join(out, "latest", "report.html"), "utf8");
    expect(report).not.toContain("--live");
  });

  it("ends after SIGINT and stops listening, although a page is open", async () => {
    const { child, url, port, ended } = await run(...small, "50", "--live", "--out", out);
    const events = get(`${url}events`).catch(() => null);
    await delay(500);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    await events;
    expect(listeners(port)).toEqual([]);
  });

  it("says whose fault it is where the port is taken", async () => {
    const live = await LiveServer.listen({ port: 0, page: "", past: () => [] });
    const argv = [cli, ...small, "1", "--live-port", String(live.port), "--out", out];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
    started.add(child);
    child.stdout.resume();
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const [code] = await once(child, "close");
    expect(code).toBe(2);
    expect(stderr).toMatch(/bench: --live-port: cannot listen on 127\.0\.0\.1:\d+/);
    await live.close();
  });
});
