// Names to connected descriptors: addresses in turn, deadlines and signals, and nothing that stays
// open. Look-ups are given, so that no test depends on a resolver.

import { readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ConnectTarget, connectDescriptor } from "../src/connect-descriptor.ts";
import {
  accept,
  close,
  connectTcp,
  EVENT_READ,
  listenTcp,
  listenUnix,
  localAddress,
  localPort,
  peerAddress,
  recv,
  send,
} from "../src/index.ts";
import { interleave, type Lookup, type ResolvedAddress, resolveHost } from "../src/resolve.ts";
import { waitFor } from "./conformance/socket-pair.ts";

const ipv4 = (address: string): ResolvedAddress => ({ address, family: 4 });
const ipv6 = (address: string): ResolvedAddress => ({ address, family: 6 });
const finds =
  (...addresses: ResolvedAddress[]): Lookup =>
  (_host, _options, callback) =>
    setImmediate(() => callback(null, addresses));

let listener: number;
let port: number;
const others: number[] = [];

beforeAll(async () => {
  // What a thread opens once: the shared selector.
  const first = listenTcp();
  close(await connectDescriptor({ port: localPort(first) }));
  close(first);
});
beforeEach(() => {
  listener = listenTcp();
  port = localPort(listener);
});
afterEach(() => {
  for (const fd of [listener, ...others.splice(0)]) close(fd);
});

/** A listener whose backlog is full, so that the next connection is never answered. */
async function unanswered(host: string): Promise<number> {
  const full = listenTcp({ host, port, backlog: 1 });
  others.push(full);
  for (let i = 0; i < 4; i++) {
    const attempt = connectDescriptor({ host, port, timeoutMs: 100 });
    const fd = await attempt.catch(() => -1);
    if (fd < 0) return full;
    others.push(fd);
  }
  throw new Error("the backlog takes any number");
}

/** Connects, and checks that it leaves open what it answers and nothing else. */
async function connected(target: ConnectTarget): Promise<number> {
  const fd = await connectDescriptor(target);
  others.push(fd);
  return fd;
}

async function refused(target: ConnectTarget): Promise<NodeJS.ErrnoException> {
  const before = readdirSync("/dev/fd").length;
  const error = await connectDescriptor(target).then(
    (fd) => {
      throw new Error(`connected, as fd ${fd}`);
    },
    (reason) => reason,
  );
  expect(readdirSync("/dev/fd").length).toBe(before);
  return error;
}

describe("an address", () => {
  it("is connected to, and carries bytes", async () => {
    const fd = await connected({ port });
    waitFor(listener, EVENT_READ);
    const peer = accept(listener);
    others.push(peer);
    expect(send(fd, Buffer.from("hello"))).toBe(5);
    waitFor(peer, EVENT_READ);
    expect(recv(peer, new Uint8Array(10))).toBe(5);
  });

  it("can be connected to from another", async () => {
    const fd = await connected({ port, localAddress: "127.0.0.7" });
    expect(localAddress(fd).host).toBe("127.0.0.7");
  });

  it("cannot be connected to from what is no address", async () => {
    const message = "localAddress is eth0; a numeric address is needed";
    expect(await refused({ port, localAddress: "eth0" })).toMatchObject({ message });
    expect(() => connectTcp({ port, localAddress: "eth0" })).toThrow(message);
  });

  it("is refused in Node's form", async () => {
    close(listener);
    const error = await refused({ port });
    listener = listenTcp();
    expect(error).toMatchObject({
      code: "ECONNREFUSED",
      syscall: "connect",
      address: "127.0.0.1",
      port,
      message: `connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });
});

describe("a name", () => {
  it("resolves by Node's resolver", async () => {
    const fd = await connected({ host: "localhost", port });
    expect(peerAddress(fd).port).toBe(port);
  });

  it("is tried address by address, and the first that answers wins", async () => {
    const lookup = finds(ipv4("127.0.0.2"), ipv4("127.0.0.1"), ipv4("127.0.0.3"));
    const fd = await connected({ host: "several", port, lookup });
    expect(peerAddress(fd).host).toBe("127.0.0.1");
  });

  it("does not wait for an address that does not answer", async () => {
    await unanswered("127.0.0.2");
    const before = readdirSync("/dev/fd").length;
    const lookup = finds(ipv4("127.0.0.2"), ipv4("127.0.0.1"));
    const fd = await connected({ host: "slow", port, lookup, attemptDelayMs: 1 });
    expect(peerAddress(fd).host).toBe("127.0.0.1");
    expect(readdirSync("/dev/fd").length).toBe(before + 1); // the slow attempt is closed
  });

  it("fails with every error if every address fails", async () => {
    const lookup = finds(ipv4("127.0.0.2"), ipv4("127.0.0.3"));
    const error = await refused({ host: "none", port, lookup });
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      code: "ECONNREFUSED",
      errors: [{ address: "127.0.0.2" }, { address: "127.0.0.3" }],
    });
    expect(error.message).toContain(`cannot connect to none:${port}: connect ECONNREFUSED 127`);
  });

  it.each([
    ["strings, as dns.resolve4 gives them", ["127.0.0.1"]],
    ["one address, as dns.lookup without `all`", "127.0.0.1"],
    ["names", [{ address: "localhost", family: 4 }]],
    ["nothing", undefined],
  ])("fails if its look-up gives %s", async (_case, found) => {
    const lookup = ((_host: unknown, _options: unknown, callback: (...words: unknown[]) => void) =>
      callback(null, found)) as unknown as Lookup;
    const error = await refused({ host: "db.example", port, lookup });
    expect(error).toMatchObject({ code: "ERR_INVALID_ARG_VALUE" });
    expect(error.message).toMatch(/^lookup of db.example must give numeric addresses/);
  });

  it("is not looked up by what is no function", async () => {
    const lookup = 5 as unknown as Lookup;
    for (const host of ["a-name", "127.0.0.1"]) {
      expect(await refused({ host, port, lookup })).toMatchObject({ code: "ERR_INVALID_ARG_TYPE" });
    }
  });

  it("has no scope, and says so", async () => {
    const error = await refused({ host: "fe80::1%lo", port });
    expect(error.message).toMatch(/an IPv6 scope, %…, is not supported/);
  });

  it("is not empty, and options of TCP are not for a path", async () => {
    const code = "ERR_INVALID_ARG_VALUE";
    expect(await refused({ host: "", port })).toMatchObject({
      code,
      message: expect.stringMatching(/^host is empty/),
    });
    const path = "/tmp/none";
    for (const more of [
      { family: 4 },
      { localAddress: "127.0.0.1" },
      { attemptDelayMs: 5 },
    ] as const) {
      const message = expect.stringMatching(/are for a host and a port only$/);
      expect(await refused({ path, ...more })).toMatchObject({ code, message });
    }
  });

  it("fails as the resolver does", async () => {
    const error = await refused({ host: "name.invalid", port });
    expect(["ENOTFOUND", "EAI_AGAIN"]).toContain(error.code);
    expect(error).toMatchObject({ syscall: "getaddrinfo", hostname: "name.invalid" });
  });

  it("takes one family only if that is asked for", async () => {
    const asked: unknown[] = [];
    const lookup: Lookup = (host, options, callback) => {
      asked.push(host, options);
      callback(null, [ipv4("127.0.0.1")]);
    };
    await connected({ host: "a-name", port, lookup, family: 4 });
    expect(asked).toEqual(["a-name", { all: true, family: 4, verbatim: true }]);
  });
});

describe("a deadline and a signal", () => {
  it.each([
    [
      "while a connection is not answered",
      async () => unanswered("127.0.0.2"),
      finds(ipv4("127.0.0.2")),
    ],
    ["while a name is not resolved", async () => {}, (() => {}) as unknown as Lookup],
  ])("end the attempt %s", async (_case, prepare, lookup) => {
    await prepare();
    const late = await refused({ host: "slow", port, lookup, timeoutMs: 20 });
    expect(late).toMatchObject({ code: "ETIMEDOUT", syscall: "connect" });
    expect(late.message).toBe(`connect ETIMEDOUT slow:${port}: no connection within 20 ms`);
    const stop = new AbortController();
    const stopped = refused({ host: "slow", port, lookup, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 20);
    expect((await stopped).message).toBe("enough");
  });

  it("refuses at once what was aborted before", async () => {
    const error = await refused({ port, signal: AbortSignal.abort() });
    expect(error.name).toBe("AbortError");
  });
});

describe("a Unix socket", () => {
  it("is connected to, also once its backlog has room again", async () => {
    const path = join(tmpdir(), `io-selectors-${process.pid}.sock`);
    const unix = listenUnix({ path, backlog: 1 });
    others.push(unix);
    const attempts = Array.from({ length: 6 }, () => connected({ path }));
    for (let taken = 0; taken < 6; ) {
      const peer = accept(unix);
      if (peer >= 0) others.push(peer);
      if (peer >= 0) taken++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await Promise.all(attempts)).toHaveLength(6);
    rmSync(path);
  });

  it("is refused in Node's form", async () => {
    const error = await refused({ path: "/nowhere/socket" });
    expect(error).toMatchObject({ code: "ENOENT", syscall: "connect" });
  });
});

it.each([
  [{}, /a port or a path is needed/],
  [{ path: "a", port: 1 }, /either a path or a host and a port/],
  [{ port: 70_000 }, /70000 is not a port/],
  [{ port: 1, attemptDelayMs: -1 }, /attemptDelayMs is -1/],
  [{ port: 1, host: "x", family: 5 }, /family is 5; 0, 4 or 6 is needed/],
  [{ port: 1, timeoutMs: Number.NaN }, /the timeout is NaN/],
])("refuses %j", async (target, message) => {
  await expect(async () => connectDescriptor(target as ConnectTarget)).rejects.toThrow(message);
});

describe("resolution", () => {
  it("interleaves the families, beginning with the first", () => {
    const order = interleave([ipv6("::1"), ipv6("::2"), ipv6("::3"), ipv4("1.1.1.1")]);
    expect(order.map(({ address }) => address)).toEqual(["::1", "1.1.1.1", "::2", "::3"]);
  });

  it("asks no resolver for a numeric address", async () => {
    const lookup = (() => {
      throw new Error("asked");
    }) as unknown as Lookup;
    expect(await resolveHost("::1", { lookup })).toEqual([ipv6("::1")]);
  });

  it("finds at least one address or fails", async () => {
    await expect(resolveHost("empty", { lookup: finds() })).rejects.toMatchObject({
      code: "ENOTFOUND",
    });
  });
});
