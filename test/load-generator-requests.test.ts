// The protocol "request" of the load generator: bytes that are sent, and how an answer ends.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { expectClean, type Options } from "./http-runs.ts";
import { type Answer, endAll, faultsOf, listen, run, servers } from "./load-runs.ts";

afterEach(endAll);

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

  it("refuses an answer that is announced to be longer than it can count", async () => {
    const port = await listen((socket) => socket.write(Buffer.from([0, 0, 0, 1, 0, 0, 0, 3, 65])));
    const outcome = await request(port, { send: "x", "length-prefix": "8be" });
    expect(faultsOf(outcome)["wrong"]?.count).toBeGreaterThan(0);
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
