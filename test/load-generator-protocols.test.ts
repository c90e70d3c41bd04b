// The protocols of the load generator, against servers that answer right and servers that do not:
// each fault is counted by its kind and quoted, and the loop takes no memory.

import { createHash } from "node:crypto";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { endHttp, expectClean, http, listenHttp, type Options } from "./http-runs.ts";
import { type Answer, endAll, listen, type Outcome, run, servers } from "./load-runs.ts";

afterEach(() => {
  endAll();
  endHttp();
});

/** Answers each request head with these bytes. */
const raw =
  (answer: string): Answer =>
  (socket, data) => {
    const requests = data.toString("latin1").split("\r\n\r\n").length - 1;
    for (let left = requests; left > 0; left--) socket.write(answer);
  };

const faultsOf = ({ result }: Outcome) =>
  result["faults"] as Record<string, { count: number; first: string }>;

describe("http", () => {
  it("sends method, path, headers and body, and checks status and body", async () => {
    const seen = new Set<string>();
    const port = await listenHttp((request, response) => {
      let body = "";
      request.on("data", (data) => {
        body += data;
      });
      request.on("end", () => {
        const { host, "x-key": key } = request.headers;
        seen.add(`${request.method} ${request.url} ${host} ${key} ${body}`);
        response.statusCode = 201;
        response.end("made");
      });
    });
    const outcome = await http(port, {
      method: "POST",
      path: "/orders?a=1",
      header: "X-Key: 7",
      body: '{"n":1}',
      status: 201,
      "expect-body": "made",
    });
    expectClean(outcome);
    expect([...seen]).toEqual([`POST /orders?a=1 127.0.0.1:${port} 7 {"n":1}`]);
  });

  const body = "x".repeat(100_000);
  const sha256 = createHash("sha256").update(body).digest("hex");
  const framings: readonly (readonly [string, RequestListener])[] = [
    ["Content-Length", (_, response) => response.end(body)],
    [
      "chunks",
      (_, response) => {
        response.write(body.slice(0, 10));
        response.write(body.slice(10, 70_000));
        response.end(body.slice(70_000));
      },
    ],
    [
      "the end of the connection",
      (_, response) => {
        response.useChunkedEncodingByDefault = false;
        response.removeHeader("transfer-encoding");
        response.shouldKeepAlive = false;
        response.write(body);
        response.end();
      },
    ],
  ];
  it.each(framings)("reads a body that ends by %s", async (_name, answer) => {
    const outcome = await http(await listenHttp(answer), { rate: 200, "expect-sha256": sha256 });
    expectClean(outcome);
    const other = createHash("sha256").update("another").digest("hex");
    const wrong = await http(await listenHttp(answer), { rate: 200, "expect-sha256": other });
    expect(faultsOf(wrong)["wrong"]?.first).toMatch(/another SHA-256/);
  });

  it("reads an answer that comes byte by byte, interim answers and trailers included", async () => {
    const answer =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n" +
      `X-Long: ${"y".repeat(300)}\r\n\r\n3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n`;
    const port = await listen((socket) => {
      for (const byte of answer) socket.write(byte);
    });
    expectClean(await http(port, { rate: 100, "expect-body": "abc0123456789" }));
  });

  it.each([
    ["HEAD", { method: "HEAD" }, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
    ["204", { status: 204 }, "HTTP/1.1 204 No Content\r\n\r\n"],
    ["Content-Length 0", {}, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"],
  ])("knows answers without a body: %s", async (_name, options, answer) => {
    expectClean(await http(await listen(raw(answer)), options));
  });

  it("keeps a given number of requests in flight on a connection, by default one", async () => {
    const most = async (options: Options) => {
      let longest = 0;
      const answer = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      const port = await listen((socket, data, state) => {
        longest = Math.max(longest, data.toString("latin1").split("GET ").length - 1);
        answer(socket, data, state);
      });
      expectClean(await http(port, { mode: "closed", connections: 2, ...options }));
      return longest;
    };
    expect(await most({ "in-flight": 2 })).toBe(1);
    expect(await most({ "in-flight": 16, depth: 8 })).toBe(8);
  });

  it.each([
    ["after a share of the answers", { "reopen-percent": 20 }, "keep-alive"],
    ["where the server closes", {}, "close"],
    ["where the server closes, pipelined", { mode: "closed", "in-flight": 16, depth: 4 }, "close"],
  ])("opens connections again %s", async (_name, options, connection) => {
    const port = await listenHttp((_, response) => {
      response.setHeader("connection", connection);
      response.end("ok");
    });
    const outcome = await http(port, { "expect-body": "ok", ...options });
    expectClean(outcome);
    const { connectionsReopened: reopened, totalMessages: total } = outcome.result;
    expect(reopened).toBeGreaterThan(0);
    if (connection === "close") expect(reopened).toBe(total);
    else expect(reopened).toBeLessThan(total);
  });

  it("opens a connection again that the server closed while nothing was under way", async () => {
    const answer = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    const port = await listen((socket, data, state) => {
      answer(socket, data, state);
      setTimeout(() => socket.end(), 20);
    });
    const { result } = await http(port, { rate: 20, connections: 2 });
    expect(result["connectionsReopened"]).toBeGreaterThan(0);
    expect(result).toMatchObject({ mismatches: 0, connectionsLost: 0, error: null });
  });

  it("works for connections that come and go", async () => {
    const port = await listenHttp((_, response) => response.end("ok"));
    const outcome = await http(port, {
      mode: "churn",
      connections: 1,
      "in-flight": 2,
      "expect-body": "ok",
    });
    expectClean(outcome);
    expect(outcome.result["cycles"]).toBeGreaterThan(0);
  });

  it.each([
    ["idle", { mode: "idle" }],
    ["slow readers", { connections: 10, slow: 2 }],
    ["a hot connection", { connections: 10, hot: 4 }],
    ["several processes", { connections: 10, processes: 2 }],
  ])("works with %s", async (_name, options) => {
    const port = await listenHttp((_, response) => response.end("ok"));
    const { result } = await http(port, { "expect-body": "ok", ...options });
    expect(result).toMatchObject({ mismatches: 0, connectionsLost: 0, error: null, faults: {} });
  });
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
      "late",
      { "answer-within-ms": 5, rate: 20 },
      (socket) =>
        setTimeout(() => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 40),
      "late",
      /late/,
    ],
  ];
  it.each(answers)("counts it: %s", async (_name, options, answer, kind, first) => {
    const outcome = await http(await listen(answer), options);
    expect(Object.keys(faultsOf(outcome))).toEqual([kind]);
    expect(faultsOf(outcome)[kind]?.count).toBeGreaterThan(0);
    expect(faultsOf(outcome)[kind]?.first).toMatch(first);
  });

  /** Good for the first requests of all connections, then something else, once. */
  const later = (good: Answer, bad: (socket: Socket) => void): Answer => {
    let requests = 0;
    return (socket, data, state) => (++requests === 20 ? bad(socket) : good(socket, data, state));
  };
  const ok = raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  it.each([
    ["closed", (socket: Socket) => socket.end(), /closed instead of an answer/],
    ["closed", (socket: Socket) => socket.resetAndDestroy(), /closed instead of an answer/],
    [
      "short",
      (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"),
      /closed after 1 bytes of the answer's body/,
    ],
  ])("counts a connection that ends in between: %s", async (kind, bad, first) => {
    const outcome = await http(await listen(later(ok, bad)));
    expect(Object.keys(faultsOf(outcome))).toEqual([kind]);
    expect(faultsOf(outcome)[kind]).toMatchObject({ count: 1 });
    expect(faultsOf(outcome)[kind]?.first).toMatch(first);
    expect(outcome.result["connectionsLost"]).toBe(1);
  });

  it.each<[string, Answer, RegExp]>([
    ["closed", (socket) => socket.end(), /connection 0: request 0 .*closed instead of an answer/],
    [
      "short",
      (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"),
      /closed after 1 bytes of the answer's body/,
    ],
    ["late", () => {}, /connection 0: request 0 /],
  ])("counts and quotes what happens from the first request on: %s", async (kind, bad, first) => {
    const outcome = await http(await listen(bad), { "connect-timeout-ms": 300 });
    expect(outcome.result["error"]).toMatch(/^only 0 of \d+ connections .*within 300 ms.*: /);
    expect(outcome.result["error"]).toMatch(first);
    expect(Object.keys(faultsOf(outcome))).toEqual([kind]);
    expect(faultsOf(outcome)[kind]?.first).toMatch(first);
  });

  it("counts what has no answer when the run ends as late", async () => {
    const outcome = await http(await listen(later(ok, () => {})), { "drain-timeout-ms": 100 });
    expect(faultsOf(outcome)["late"]).toMatchObject({ count: 1 });
    expect(outcome.result["missing"]).toBe(1);
  });
});

describe("request", () => {
  const request = (port: number, options: Options) =>
    run(port, { protocol: "request", mode: "closed", "in-flight": 4, ...options });
  const pong: Answer = (socket) => socket.write("+PONG\r\n");

  it.each([
    ["its bytes", { expect: "+PONG\\r\\n" }],
    ["a delimiter", { until: "\\r\\n" }],
    ["a delimiter and how it begins", { until: "\\r\\n", expect: "+PO" }],
    ["its length", { "expect-bytes": 7 }],
  ])("ends an answer by %s", async (_name, options) => {
    expectClean(await request(await listen(pong), { send: "PING\\r\\n", ...options }));
  });

  it("finds a delimiter whose beginning repeats, in pieces", async () => {
    const port = await listen((socket) => {
      for (const byte of "aabaabaac") socket.write(byte);
    });
    expectClean(await request(port, { send: "x", until: "aabaac" }));
  });

  it.each([
    ["1", Buffer.from([3])],
    ["2be", Buffer.from([0, 3])],
    ["2le", Buffer.from([3, 0])],
    ["4le", Buffer.from([3, 0, 0, 0])],
    ["8be", Buffer.from([0, 0, 0, 0, 0, 0, 0, 3])],
  ])("ends an answer by its length prefix: %s", async (prefix, length) => {
    const port = await listen((socket) => {
      for (const byte of [...length, 65, 66, 67]) socket.write(Buffer.of(byte));
    });
    expectClean(await request(port, { send: "x", "length-prefix": prefix }));
  });

  it("waits for a server that speaks first, also with connections that come and go", async () => {
    const early: string[] = [];
    const server = createServer((socket) => {
      let greeted = false;
      socket.on("error", () => socket.destroy());
      socket.on("data", (data) => {
        if (!greeted) early.push(String(data));
        socket.write("250 ok\r\n");
      });
      setTimeout(() => {
        greeted = true;
        socket.write("220 mail.example ready\r\n");
      }, 10);
    });
    servers.add(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const options = { greeting: "\\r\\n", send: "NOOP\\r\\n", until: "\\r\\n", expect: "250" };
    expectClean(await request(port, { ...options, "reopen-percent": 5 }));
    expectClean(await request(port, { ...options, mode: "churn", connections: 1 }));
    expect(early).toEqual([]);
  });

  it("quotes an answer that is not the expected one", async () => {
    const outcome = await request(await listen((socket) => socket.write("-ERR\r\n")), {
      send: "PING\\r\\n",
      expect: "+PONG\\r\\n",
    });
    expect(faultsOf(outcome)["wrong"]?.first).toMatch(
      /\("PING\\r\\n"\): byte 0 of the answer on is "-ERR\\r\\n", expected "\+PONG\\r\\n"/,
    );
  });
});
