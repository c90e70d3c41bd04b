// Servers that answer the load generator wrong: each fault is counted by its kind and quoted.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { http, type Options, raw } from "./http-runs.ts";
import { type Answer, echo, endAll, faultsOf, listen, run } from "./load-runs.ts";

afterEach(endAll);

it("does not take a first answer for late, whatever clock it is timed by", async () => {
  const outcome = await run(await listen(echo), { "answer-within-ms": 60_000 });
  expect(faultsOf(outcome)).toEqual({});
  expect(outcome.code).toBe(0);
});

describe("a server that answers wrong", () => {
  const answers: readonly (readonly [string, Options, Answer, string, RegExp])[] = [
    [
      "another status",
      {},
      raw("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"),
      "status",
      /^connection \d+: request \d+ \(GET \/\): status 503, expected 200$/,
    ],
    [
      "another body",
      { "expect-body": "hello" },
      raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelXo"),
      "wrong",
      /byte 3 of the body on is "Xo", expected "lo"/,
    ],
    [
      "a shorter body",
      { "expect-body": "hello" },
      raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhe"),
      "short",
      /a body of 2 bytes, expected 5/,
    ],
    ["no HTTP", {}, raw("+PONG\r\n"), "wrong", /"\+PONG(\\r)?" is no HTTP answer/],
    [
      "two answers",
      {},
      raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".repeat(2)),
      "doubled",
      /had not been sent yet when "HTTP\/1\.1 200 OK\\r\\n/,
    ],
    [
      "more behind the last answer",
      { "expect-body": "hello" },
      raw("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello, again"),
      "doubled",
      /, again/,
    ],
    [
      "late",
      { "answer-within-ms": 5, rate: 20 },
      (socket) =>
        setTimeout(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 40),
      "late",
      /late; all of its answer was there, a body of 0 bytes$/,
    ],
    [
      "no HTTP instead of a body",
      { "expect-body": "hello" },
      raw("GARBAGE\r\n\r\n"),
      "wrong",
      /: "GARBAGE(\\r)?" is no HTTP answer$/,
    ],
    [
      "a chunk of no size",
      { "expect-body": "ok" },
      raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n"),
      "wrong",
      /: "zz" is no size of a chunk$/,
    ],
    [
      "a long body",
      { "expect-body": "ok" },
      raw(`HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n${"A".repeat(200)}`),
      "wrong",
      /byte 0 of the body on is "A+"\.\.\., expected "ok"$/,
    ],
  ];
  it.each(answers)("counts it: %s", async (_name, options, answer, kind, first) => {
    const outcome = await http(await listen(answer), options);
    expect(Object.keys(faultsOf(outcome))).toEqual([kind]);
    expect(faultsOf(outcome)[kind]?.count).toBeGreaterThan(0);
    expect(faultsOf(outcome)[kind]?.first).toMatch(first);
  });

  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  it.each([
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
    ["a chunk beyond any size", `${chunked}10000000000000000\r\n\r\n`],
    ["words behind the length", "HTTP/1.1 200 OK\r\nContent-Length: 2 foo\r\n\r\nok"],
    ["an extension of the length", "HTTP/1.1 200 OK\r\nContent-Length: 2;q=1\r\n\r\nok"],
    ["words behind the size of a chunk", `${chunked}2 junk\r\nok\r\n0\r\n\r\n`],
    [
      "a size of a chunk that is not read whole",
      `${chunked}${"0".repeat(100)}2\r\nok\r\n0\r\n\r\n`,
    ],
    ["a NUL behind a chunk", `${chunked}2\r\nok\0more\r\n0\r\n\r\n`],
    ["a NUL instead of a header", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\0\r\nok"],
    ["a NUL instead of a trailer", `${chunked}2\r\nok\r\n0\r\n\0more\r\n`],
  ])("takes an answer with %s for no answer", async (_name, answer) => {
    const outcome = await http(await listen(raw(answer)));
    expect(faultsOf(outcome)["wrong"]?.count).toBeGreaterThan(0);
  });

  /** Good for the first requests of all connections, then something else, once. */
  const later = (good: Answer, bad: (socket: Socket) => void): Answer => {
    let requests = 0;
    return (socket, data, state) => (++requests === 20 ? bad(socket) : good(socket, data, state));
  };
  const ok = raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  it.each([
    ["closed", (socket: Socket) => socket.end(), /closed without an answer/],
    ["closed", (socket: Socket) => socket.resetAndDestroy(), /closed without an answer/],
    [
      "short",
      (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"),
      /closed after 1 bytes of the answer's body/,
    ],
    [
      "short",
      (socket: Socket) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\nto the en");
        setTimeout(() => socket.resetAndDestroy(), 20);
      },
      /closed after 9 bytes of the answer's body/,
    ],
  ])("counts a connection that ends in between: %s", async (kind, bad, first) => {
    const outcome = await http(await listen(later(ok, bad)));
    expect(Object.keys(faultsOf(outcome))).toEqual([kind]);
    expect(faultsOf(outcome)[kind]).toMatchObject({ count: 1 });
    expect(faultsOf(outcome)[kind]?.first).toMatch(first);
    expect(outcome.result["connectionsLost"]).toBe(1);
  });

  it.each<[string, Answer, RegExp]>([
    ["closed", (socket) => socket.end(), /connection 0: request 0 .*closed without an answer/],
    [
      "short",
      (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"),
      /closed after 1 bytes of the answer's body/,
    ],
    ["late", () => {}, /connection 0: request 0 /],
  ])("counts and quotes what happens from the first request on: %s", async (kind, bad, first) => {
    const outcome = await http(await listen(bad), { "connect-timeout-ms": 2_000 });
    expect(outcome.result["error"]).toMatch(/^only 0 of \d+ connections .*within \d+ ms.*: /);
    expect(outcome.result["error"]).toMatch(first);
    expect(Object.keys(faultsOf(outcome))).toEqual([kind]);
    expect(faultsOf(outcome)[kind]?.first).toMatch(first);
  });

  it("counts late answers also if connections come and go", async () => {
    let requests = 0;
    const port = await listen((socket, data, state) => {
      if (++requests <= 2) setTimeout(() => ok(socket, data, state), 20);
    });
    const churn = { mode: "churn", connections: 1, "in-flight": 1, "answer-within-ms": 5 };
    const outcome = await http(port, { ...churn, windows: 1, "drain-timeout-ms": 20 });
    const { totalMessages, missing } = outcome.result;
    expect(totalMessages).toBeGreaterThan(0);
    expect(faultsOf(outcome)["late"]).toMatchObject({
      count: totalMessages + Number(missing),
      first: expect.stringMatching(/request 0 .*: late; all of its answer was there/),
    });
  });

  it("says that an answer came before its request was sent", async () => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
    try {
      // More than the buffers of both ends hold.
      const body = join(folder, "body");
      writeFileSync(body, Buffer.alloc(16 << 20));
      const port = await listen((socket) => {
        socket.pause().write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        setTimeout(() => socket.resume(), 100);
      });
      const outcome = await http(port, { method: "POST", "body-file": body, connections: 1 });
      expect(faultsOf(outcome)["wrong"]).toMatchObject({
        count: 1,
        first: expect.stringMatching(/\(POST \/\): was answered before all of it had been sent$/),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("counts a request that a server stopped reading, with --churn as well", async () => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
    try {
      const body = join(folder, "body");
      writeFileSync(body, Buffer.alloc(16 << 20));
      let connections = 0;
      const port = await listen((socket, data, { bytes }) => {
        if (bytes === 0 && ++connections > 1) socket.pause(); // all but that of the preparation
        if (bytes + data.length < 16 << 20) return;
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      });
      const load = { method: "POST", "body-file": body, mode: "churn", connections: 1 };
      const outcome = await http(port, { ...load, "in-flight": 1, "churn-echo": 1 });
      expect(outcome.result["missing"]).toBe(1);
      expect(faultsOf(outcome)["late"]).toMatchObject({ count: 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("counts a body that a reset cuts off, also if connections come and go", async () => {
    const port = await listen((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\nto the en");
      setTimeout(() => socket.resetAndDestroy(), 5);
    });
    const churn = { mode: "churn", connections: 1, "in-flight": 1, "connect-timeout-ms": 2_000 };
    const outcome = await http(port, churn);
    expect(faultsOf(outcome)).toHaveProperty("short");
    expect(outcome.result["cycles"]).toBe(0);
  });

  it("counts what waited for its turn until the run ended as late, too", async () => {
    const answer: Answer = (socket, data, { bytes }) => {
      if (bytes === 0) ok(socket, data, { bytes });
    };
    const outcome = await http(await listen(answer), { "drain-timeout-ms": 20, connections: 2 });
    const { missing } = outcome.result;
    expect(missing).toBeGreaterThan(10);
    expect(faultsOf(outcome)["late"]).toMatchObject({ count: missing });
  });

  it("counts what has no answer when the run ends as late", async () => {
    const load = { mode: "closed", "in-flight": 4, "drain-timeout-ms": 100 };
    const outcome = await http(await listen(later(ok, () => {})), load);
    expect(faultsOf(outcome)["late"]).toMatchObject({ count: 1 });
    expect(outcome.result["missing"]).toBe(1);
  });
});
