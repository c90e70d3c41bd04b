// HTTP/1.1 as the load generator speaks it, against servers that answer right; the loop takes no
// memory.

import { createHash } from "node:crypto";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { endHttp, expectClean, http, listenHttp, type Options, raw } from "./http-runs.ts";
import { endAll, faultsOf, listen, servers } from "./load-runs.ts";

afterEach(async () => {
  await endAll();
  endHttp();
});

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
      `X-Long: ${"y".repeat(300)}\r\n\r\n` +
      `3 ;ext=1\r\nabc\r\nA \r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n`;
    const port = await listen((socket) => {
      for (const byte of answer) socket.write(byte);
    });
    expectClean(await http(port, { rate: 100, "expect-body": "abc0123456789" }));
  });

  it("takes nothing of an interim answer for the final one", async () => {
    const interim = "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n";
    const port = await listen(
      (socket) => void socket.end(`${interim}HTTP/1.1 200 OK\r\n\r\nwhole`),
    );
    expectClean(await http(port, { rate: 200, "expect-body": "whole" }));
  });

  it.each([
    ["HEAD", { method: "HEAD" }, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
    ["204", { status: 204 }, "HTTP/1.1 204 No Content\r\n\r\n"],
    ["Content-Length 0", {}, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"],
    [
      "Content-Length twice",
      {},
      "HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n",
    ],
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

  it("takes `close` before `keep-alive`, in whichever order they come", async () => {
    for (const tokens of [
      ["close", "keep-alive"],
      ["keep-alive", "close"],
      ["close, keep-alive"],
    ]) {
      const lines = tokens.map((token) => `Connection: ${token}\r\n`).join("");
      const answer = raw(`HTTP/1.1 200 OK\r\n${lines}Content-Length: 0\r\n\r\n`);
      const port = await listen((socket, data, state) => {
        answer(socket, data, state);
        socket.end();
      });
      const outcome = await http(port, {});
      expectClean(outcome);
      expect(outcome.result["connectionsReopened"]).toBe(outcome.result["totalMessages"]);
    }
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

  it("bears any number of ends between two requests", async () => {
    const answer = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (data) => answer(socket, data, { bytes: 0 }));
      setTimeout(() => socket.end(), 20);
    });
    servers.add(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const load = { rate: 4, connections: 2, windows: 3, "window-ms": 500 };
    const { result } = await http(port, load);
    const reopened = Number(result["connectionsReopened"]);
    expect(reopened).toBeGreaterThan(20);
    // Only a request that crosses an end on its way is lost.
    expect(result["connectionsLost"]).toBeLessThan(reopened / 4);
    expect(result).toMatchObject({ mismatches: 0, error: null });
  });

  it("gives up connections for which no server listens any more", async () => {
    const answer = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    const sockets = new Set<Socket>();
    let requests = 0;
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("data", (data) => {
        answer(socket, data, { bytes: 0 });
        if (++requests !== 12) return;
        server.close();
        for (const one of sockets) one.end();
      });
    });
    servers.add(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { result } = await http((server.address() as AddressInfo).port, { rate: 100 });
    expect(result).toMatchObject({
      connectionsReopened: 0,
      connectionsLost: 4,
      error: "the server closed or reset every connection",
    });
  });

  it("reads an answer of very many chunks", async () => {
    const chunks = "1\r\nx\r\n".repeat(200_000);
    const port = await listen(
      raw(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`),
    );
    const digest = createHash("sha256").update("x".repeat(200_000)).digest("hex");
    expectClean(await http(port, { rate: 20, "expect-sha256": digest }));
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
