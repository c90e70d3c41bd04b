// TLS in the load generator: against servers of node:tls and node:https with certificates that
// openssl(1) made, right ones and wrong ones, and against servers that do not speak TLS.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTls, type TLSSocket, type TlsOptions } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { expectClean, type Options } from "./http-runs.ts";
import {
  type Answer,
  echo,
  endAll,
  faultsOf,
  finished,
  listen,
  type Outcome,
  run,
  start,
} from "./load-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
const file = (name: string) => join(folder, name);
const servers = new Set<Server>();
const sockets = new Set<TLSSocket>();

/** A key and a certificate that signs itself. openssl-req(1) */
function certify(name: string, alternatives: string): void {
  const made = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-keyout", file(`${name}.key`), "-out", file(`${name}.pem`), "-days", "2"],
    ...["-subj", `/CN=${name}`, "-addext", `subjectAltName=${alternatives}`],
  ]);
  if (made.status !== 0) throw new Error(String(made.stderr));
}

const identity = (name: string): TlsOptions => ({
  key: readFileSync(file(`${name}.key`)),
  cert: readFileSync(file(`${name}.pem`)),
});

afterEach(async () => {
  await endAll();
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  sockets.clear();
  servers.clear();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function portOf(server: Server): Promise<number> {
  servers.add(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

function keep(socket: TLSSocket): void {
  sockets.add(socket);
  socket.on("error", () => socket.destroy());
}

/** A server over TLS that sends back what comes. */
function listenTls(options: TlsOptions): Promise<number> {
  const server = createTls(options, (socket) => {
    keep(socket);
    socket.on("data", (data) => socket.write(data));
  });
  server.on("tlsClientError", () => {});
  return portOf(server);
}

const listenHttps = (options: TlsOptions, body: string): Promise<number> => {
  const server = createHttps(options, (request, response) => {
    response.end(`${body}${request.httpVersion}`);
  });
  server.on("secureConnection", keep);
  return portOf(server);
};

const request: Options = { protocol: "request", send: "ping\\n", expect: "ping\\n", tls: 1 };

const tlsFault = (outcome: Outcome) => faultsOf(outcome)["tls"];

const openssl = spawnSync("openssl", ["version"]).error === undefined;

describe.skipIf(!openssl)("with openssl for certificates", () => {
  beforeAll(() => {
    certify("local", "IP:127.0.0.1,DNS:server.test");
    certify("other", "IP:192.0.2.1,DNS:other.test");
  });

  const trusted = () => ({ tls: 1, "tls-ca": file("local.pem") });

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`sends requests and checks answers over ${maxVersion}`, async () => {
      const port = await listenTls({ ...identity("local"), maxVersion });
      expectClean(await run(port, { ...request, ...trusted() }));
      expectClean(await run(port, { ...request, ...trusted(), depth: 8, "reopen-percent": 20 }));
    });
  }

  it("reads answers of many records over HTTPS, and names itself by SNI", async () => {
    const names = new Set<string>();
    const options: TlsOptions = {
      ...identity("local"),
      ALPNProtocols: ["http/1.1"],
      SNICallback: (name, done) => {
        names.add(name);
        done(null);
      },
    };
    const port = await listenHttps(options, "x".repeat(100_000));
    const expected = `${"x".repeat(100_000)}1.1`;
    const asked = { protocol: "http", ...trusted(), rate: 200, "tls-name": "server.test" };
    const outcome = await run(port, { ...asked, "expect-body": expected });
    expectClean(outcome);
    expect([...names]).toEqual(["server.test"]);
    const closed = await run(port, {
      ...asked,
      mode: "closed",
      "in-flight": 8,
      "reopen-percent": 30,
    });
    expectClean(closed);
    expect(closed.result["connectionsReopened"]).toBeGreaterThan(0);
  });

  it("echoes messages that are larger than the socket's buffers", async () => {
    const port = await listenTls(identity("local"));
    const large = { "payload-bytes": 1 << 20, rate: 20, connections: 2, "window-ms": 300 };
    const patient = { "drain-timeout-ms": 60_000 }; // MiBs to encrypt may wait behind other tests
    expectClean(await run(port, { ...trusted(), ...large, ...patient }));
  });

  it("counts a handshake as a part of connecting, in churn", async () => {
    const port = await listenTls(identity("local"));
    const churn = { mode: "churn", connections: 1, "in-flight": 4 };
    for (const echoes of [0, 1]) {
      const outcome = await run(port, { ...request, ...trusted(), ...churn, "churn-echo": echoes });
      expect(outcome.result).toMatchObject({ mismatches: 0, error: null, faults: {} });
      expect(outcome.result.messages).toBeGreaterThan(0);
    }
  });

  it("takes an end without close_notify for no end of a body", async () => {
    let raw: Socket | null = null;
    const server = createTls(identity("local"), (socket) => {
      keep(socket);
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\nto the en");
        setTimeout(() => raw?.destroy(), 20);
      });
    });
    server.on("connection", (socket: Socket) => {
      raw = socket;
    });
    const load = { protocol: "http", ...trusted(), connections: 1, "connect-timeout-ms": 2_000 };
    const outcome = await run(await portOf(server), load);
    expect(Object.keys(faultsOf(outcome))).toEqual(["short"]);
  });

  it("waits for a server that speaks first, and holds silent connections", async () => {
    const server = createTls(identity("local"), (socket) => {
      keep(socket);
      socket.write("220 ready\r\n");
      socket.on("data", (data) => socket.write(data));
    });
    const port = await portOf(server);
    expectClean(await run(port, { ...request, ...trusted(), greeting: "\\r\\n" }));
    const idle = await run(port, { ...request, ...trusted(), greeting: "\\r\\n", mode: "idle" });
    expect(idle.result).toMatchObject({ error: null, connectionsLost: 0, faults: {} });
  });

  it("accepts any certificate only if it is asked to", async () => {
    const port = await listenTls(identity("other"));
    expectClean(await run(port, { ...request, "tls-insecure": 1 }));
    for (const more of [{}, { "tls-ca": file("other.pem") }, { mode: "churn", "in-flight": 1 }]) {
      const refused = await run(port, { ...request, ...more, connections: 1 });
      expect(refused.code).toBe(1);
      expect(refused.result["error"]).toMatch(
        /TLS with 127\.0\.0\.1:\d+ failed: certificate verify failed: .*; --tls-ca FILE/,
      );
      expect(tlsFault(refused)?.count).toBeGreaterThan(0);
      expect(tlsFault(refused)?.first).toMatch(/certificate verify failed/);
    }
    const named = { "tls-ca": file("other.pem"), "tls-name": "other.test" };
    expectClean(await run(port, { ...request, ...named }));
    const misnamed = await run(port, { ...request, ...named, "tls-name": "server.test" });
    expect(misnamed.result["error"]).toMatch(/[Hh]ostname mismatch/);
  });

  it("quotes the alert of a server that wants a certificate", async () => {
    const port = await listenTls({ ...identity("local"), requestCert: true });
    const refused = await run(port, { ...request, ...trusted() });
    expect(refused.code).toBe(1);
    expect(tlsFault(refused)?.first).toMatch(/alert|handshake failure|certificate required/);
  });
});

const plain: readonly (readonly [string, Answer])[] = [
  ["sends back what comes", echo],
  ["answers in plain text", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")],
];
it.for(plain)("gives the reason if a server without TLS %s", async ([, answer], { skip }) => {
  const port = await listen(answer);
  const { code, result, stderr } = await run(port, { ...request, "tls-insecure": 1 });
  skip(/is not available/.test(stderr), "no OpenSSL on this machine");
  expect(code).toBe(1);
  expect(result["error"]).toMatch(/TLS with .* failed: .*the server may not speak TLS/);
  expect(result["faults"]).toMatchObject({ tls: { count: expect.any(Number) } });
});

it("refuses options that contradict one another, before anything starts", async () => {
  const refusals: readonly (readonly [Options, RegExp])[] = [
    [{ "tls-ca": "/a.pem" }, /need --tls/],
    [{ tls: 1, "tls-ca": "/a.pem", "tls-insecure": 1 }, /exclude each other/],
    [{ tls: 2 }, /--tls: "2" is not a whole number/],
  ];
  for (const [options, reason] of refusals) {
    const { code, stderr, events } = await run(1, options);
    expect({ code, events }).toEqual({ code: 2, events: [] });
    expect(stderr).toMatch(reason);
  }
});

it("says in one line that OpenSSL is missing", async () => {
  const { loadGenerator } = packagePaths();
  const shell = 'IO_SELECTORS_LIBSSL=/nowhere/libssl.so exec "$0" "$@"';
  const args = ["run", "--port", 1, "--rate", 1, "--tls", 1];
  const [code, out, err] = await finished(start("sh", ["-c", shell, loadGenerator, ...args]));
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(/--tls is not available: \/nowhere\/libssl\.so cannot be loaded.*install it/);
});
