// Sockets as bare descriptors, on the real ones: TCP, UDP and Unix of every type, their addresses,
// options and errors.

import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  accept,
  bindUdp,
  bindUnix,
  connectTcp,
  connectUdp,
  connectUnix,
  DefaultSelector,
  EVENT_READ,
  EVENT_WRITE,
  getKeepAlive,
  getNoDelay,
  getQuickAck,
  getReceiveBuffer,
  getReusePort,
  getSendBuffer,
  listenTcp,
  listenUnix,
  localAddress,
  localPort,
  PollSelector,
  peerAddress,
  recv,
  recvFrom,
  SocketAddress,
  send,
  sendTo,
  setKeepAlive,
  setNoDelay,
  setQuickAck,
  setReceiveBuffer,
  setSendBuffer,
  shutdown,
  socketError,
  socketPair,
} from "../src/index.ts";
import { Descriptors, fill, waitFor } from "./conformance/socket-pair.ts";
import { hasIpv6Loopback, withoutIpv6 } from "./ipv6.ts";

const { EADDRINUSE, EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EINVAL } = constants.errno;
const { EMSGSIZE, ENOENT, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP, EPIPE } = constants.errno;
const linux = process.platform === "linux";
/** Each family with its loopback; one that is missing is left out by name. */
const families = [
  { family: "IPv4", host: "127.0.0.1", here: true, name: "IPv4" },
  {
    family: "IPv6",
    host: "::1",
    here: hasIpv6Loopback,
    name: `IPv6${withoutIpv6}`,
  },
] as const;
const unused = 987_654;

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array, n: number) => new TextDecoder().decode(bytes.subarray(0, n));
const failing = (code: string, syscall: string) =>
  expect.objectContaining({ code, syscall, errno: expect.any(Number) });

let fds: Descriptors;
let folder: string;
const room = new Uint8Array(256);

beforeEach(() => {
  fds = new Descriptors();
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
});
afterEach(() => {
  fds.closeAll();
  rmSync(folder, { recursive: true });
});

const keepPair = ([a, b]: [number, number]): [number, number] => [fds.keep(a), fds.keep(b)];

/** One message there and one back, each awaited. */
function expectRoundTrip(a: number, b: number): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    expect(recv(to, room)).toBe(-EAGAIN);
    expect(send(from, encode("ping"))).toBe(4);
    waitFor(to, EVENT_READ);
    expect(decode(room, recv(to, room))).toBe("ping");
  }
}

function acceptFrom(listener: number): number {
  waitFor(listener, EVENT_READ);
  const fd = accept(listener);
  expect(fd).toBeGreaterThanOrEqual(0);
  return fds.keep(fd);
}

describe("TCP", () => {
  it.for(families)("carries messages over $name", ({ family, host, here }, { skip }) => {
    skip(!here);
    const listener = fds.keep(listenTcp({ host }));
    expect(accept(listener)).toBe(-EAGAIN);
    const client = fds.keep(connectTcp({ host, port: localPort(listener) }));
    const server = acceptFrom(listener);
    waitFor(client, EVENT_WRITE);
    expect(socketError(client)).toBe(0);
    expectRoundTrip(client, server);
    expect(localAddress(listener)).toMatchObject({ family, host, port: localPort(listener) });
    expect(String(peerAddress(server))).toBe(String(localAddress(client)));
  });

  it("says how a connection was refused", () => {
    const listener = listenTcp();
    const port = localPort(listener);
    fds.close(fds.keep(listener));
    const client = fds.keep(connectTcp({ port }));
    waitFor(client, EVENT_WRITE);
    expect(socketError(client)).toBe(ECONNREFUSED);
    expect(socketError(client)).toBe(0);
  });

  it("refuses a port that is taken, and shares one with reusePort", () => {
    const port = localPort(fds.keep(listenTcp()));
    expect(() => listenTcp({ port })).toThrow(failing("EADDRINUSE", "bind"));
    expect(() => listenTcp({ port })).toThrow(/\(choose another port, or 0 for a free one\)$/);
    const shared = fds.keep(listenTcp({ reusePort: true }));
    const other = fds.keep(listenTcp({ reusePort: true, port: localPort(shared) }));
    expect(localPort(other)).toBe(localPort(shared));
    expect(getReusePort(other)).toBe(1);
    expect(getReusePort(fds.listener())).toBe(0);
  });

  it.each([
    ["a name", { host: "localhost" }, "EINVAL"],
    ["a host with a NUL", { host: "127.0.0.1\0.example" }, "EINVAL"],
    ["a host that is no text", { host: 127 as unknown as string }, "ERR_INVALID_ARG_TYPE"],
    ["a port out of range", { port: 65536 }, "ERR_INVALID_ARG_VALUE"],
    ["a port in text", { port: "80" as unknown as number }, "ERR_INVALID_ARG_TYPE"],
    ["a negative backlog", { backlog: -1 }, "ERR_INVALID_ARG_VALUE"],
  ])("refuses %s", (_case, options, code) => {
    expect(() => listenTcp(options)).toThrow(expect.objectContaining({ code }));
  });

  it("returns -EPIPE or -ECONNRESET for a send to a closed peer, without a signal", () => {
    const [a, b] = fds.pair();
    send(b, encode("unread"));
    waitFor(a, EVENT_READ);
    fds.close(a);
    const answers = new Set<number>();
    for (let i = 0; i < 200 && !answers.has(-EPIPE); i++) {
      waitFor(b, EVENT_WRITE);
      answers.add(send(b, encode("x")));
    }
    expect(answers).toContain(-EPIPE);
    answers.delete(1);
    answers.delete(-EPIPE);
    answers.delete(-ECONNRESET);
    expect([...answers]).toEqual([]);
  });

  it("shuts one direction down and keeps the other", () => {
    const [a, b] = fds.pair();
    expect(shutdown(a, "write")).toBe(0);
    waitFor(b, EVENT_READ);
    expect(recv(b, room)).toBe(0);
    expect(send(a, encode("x"))).toBe(-EPIPE);
    expect(send(b, encode("still"))).toBe(5);
    waitFor(a, EVENT_READ);
    expect(recv(a, room)).toBe(5);
    expect(shutdown(b, "both")).toBe(0);
    expect(shutdown(fds.listener(), "sideways" as "both")).toBe(-EINVAL);
    expect(shutdown(fds.keep(bindUdp()), "both")).toBe(-ENOTCONN);
  });

  it("answers -EAGAIN once the peer's window is full", () => {
    const [a] = fds.pair();
    expect(fill(a)).toBeGreaterThan(0);
    // What is acknowledged in between makes room for a little more.
    let sent = send(a, encode("x"));
    for (let again = 0; again < 100 && sent === 1; again++) {
      fill(a);
      sent = send(a, encode("x"));
    }
    expect(sent).toBe(-EAGAIN);
  });
});

describe("Unix sockets", () => {
  const names = () => [join(folder, "socket"), ...(linux ? [`\0io-selectors-${process.pid}`] : [])];
  const types = ["stream", ...(linux ? (["seqpacket"] as const) : [])] as const;

  it.each(types)("carry messages by path and by abstract name: %s", (type) => {
    for (const path of names()) {
      const listener = fds.keep(listenUnix({ path, type }));
      const client = fds.keep(connectUnix({ path, type }));
      const server = acceptFrom(listener);
      expectRoundTrip(client, server);
      expect(peerAddress(client)).toMatchObject({ family: "unix", path, host: "", port: 0 });
      expect(localAddress(client).path).toBe("");
      fds.close(client);
      waitFor(server, EVENT_READ);
      expect(recv(server, room)).toBe(0);
      expect(send(server, encode("x"))).toBe(-EPIPE);
    }
  });

  it("carry datagrams with their sender's name", () => {
    for (const [i, path] of names().entries()) {
      const server = fds.keep(bindUnix({ path }));
      const name = join(folder, `client-${i}`);
      const client = fds.keep(bindUnix({ path: name }));
      const sender = new SocketAddress();
      expect(recvFrom(server, room, sender)).toBe(-EAGAIN);
      expect(sender.family).toBe("none");
      expect(sendTo(client, encode("one"), SocketAddress.unix(path))).toBe(3);
      waitFor(server, EVENT_READ);
      expect(decode(room, recvFrom(server, room, sender))).toBe("one");
      expect(sender).toMatchObject({ family: "unix", path: name });
      expect(sendTo(server, encode("two"), sender)).toBe(3);
      waitFor(client, EVENT_READ);
      expect(decode(room, recv(client, room))).toBe("two");

      const nameless = fds.keep(connectUnix({ path, type: "datagram" }));
      expect(send(nameless, encode("three"))).toBe(5);
      waitFor(server, EVENT_READ);
      expect(recvFrom(server, room, sender)).toBe(5);
      expect(String(sender)).toBe("");
      expect(sendTo(server, encode("x"), sender)).toBeLessThan(0);
    }
    expect(sendTo(fds.keep(bindUdp()), encode("x"), new SocketAddress())).toBeLessThan(0);
    const [lonely] = keepPair(socketPair("datagram"));
    expect(sendTo(lonely, encode("x"), SocketAddress.unix(join(folder, "absent")))).toBeLessThan(0);
    const other = fds.keep(bindUnix({ path: join(folder, "other") }));
    expect(sendTo(other, encode("x"), SocketAddress.unix(join(folder, "absent")))).toBe(-ENOENT);
  });

  it.each(["stream", "datagram", ...(linux ? (["seqpacket"] as const) : [])] as const)(
    "come in pairs: %s",
    (type) => {
      const [a, b] = keepPair(socketPair(type));
      expectRoundTrip(a, b);
      send(a, encode("first"));
      send(a, encode("second"));
      waitFor(b, EVENT_READ);
      const n = recv(b, room);
      expect(decode(room, n)).toBe(type === "stream" ? "firstsecond" : "first");
    },
  );

  it("refuse a path that is too long, and name the limit", () => {
    const limit = linux ? 107 : 103;
    const fits = join(folder, "é").padEnd(limit - 1, "x");
    expect(Buffer.byteLength(fits)).toBe(limit);
    fds.keep(listenUnix({ path: fits }));
    expect(peerAddress(fds.keep(connectUnix({ path: fits }))).path).toBe(fits);
    for (const open of [listenUnix, connectUnix, bindUnix]) {
      expect(() => open({ path: `${fits}x` })).toThrow(RangeError);
      expect(() => open({ path: `${fits}x` })).toThrow(`takes at most ${limit}`);
    }
    expect(() => SocketAddress.unix(`${fits}x`)).toThrow(`takes at most ${limit}`);
    if (!linux) return;
    const abstract = `\0${"n".repeat(limit)}`;
    fds.keep(listenUnix({ path: abstract }));
    expect(peerAddress(fds.keep(connectUnix({ path: abstract }))).path).toBe(abstract);
    expect(() => listenUnix({ path: `${abstract}n` })).toThrow(`takes at most ${limit}`);
  });

  it.each([
    ["an empty path", "", "ERR_INVALID_ARG_VALUE"],
    ["a NUL inside", "a\0b", "ERR_INVALID_ARG_VALUE"],
    ["no text", 5 as unknown as string, "ERR_INVALID_ARG_TYPE"],
  ])("refuse %s", (_case, path, code) => {
    for (const open of [listenUnix, connectUnix, bindUnix]) {
      expect(() => open({ path })).toThrow(expect.objectContaining({ code }));
    }
  });

  it("refuse an unknown type", () => {
    const refusal = expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" });
    expect(() => socketPair("raw" as "stream")).toThrow(refusal);
    expect(() => socketPair("toString" as "stream")).toThrow(refusal);
    const datagram = { path: join(folder, "socket"), type: "datagram" as "stream" };
    expect(() => listenUnix(datagram)).toThrow(expect.objectContaining({ syscall: "listen" }));
  });

  it("treat a stale file as the system does", () => {
    const path = join(folder, "stale");
    fds.close(fds.keep(listenUnix({ path })));
    expect(() => listenUnix({ path })).toThrow(
      expect.objectContaining({ code: "EADDRINUSE", errno: -EADDRINUSE, syscall: "bind" }),
    );
    expect(() => connectUnix({ path })).toThrow(failing("ECONNREFUSED", "connect"));
    rmSync(path);
    expect(() => connectUnix({ path })).toThrow(failing("ENOENT", "connect"));
    fds.keep(listenUnix({ path }));
  });

  it("refuse a connection beyond the backlog with EAGAIN, at once", () => {
    const path = join(folder, "full");
    fds.keep(listenUnix({ path, backlog: 1 }));
    const connectAll = () => {
      for (let i = 0; i < 8; i++) fds.keep(connectUnix({ path }));
    };
    expect(connectAll).toThrow(failing(linux ? "EAGAIN" : "ECONNREFUSED", "connect"));
  });
});

describe("UDP", () => {
  it.for(families)(
    "carries datagrams over $name, and their sender's address",
    ({ family, host, here }, { skip }) => {
      skip(!here);
      const server = fds.keep(bindUdp({ host }));
      const client = fds.keep(connectUdp({ host, port: localPort(server) }));
      const sender = new SocketAddress();
      expect(recvFrom(server, room, sender)).toBe(-EAGAIN);
      for (const text of ["one", "", "three"]) {
        expect(send(client, encode(text))).toBe(text.length);
        waitFor(server, EVENT_READ);
        expect(decode(room, recvFrom(server, room, sender))).toBe(text);
        expect(sender).toMatchObject({ family, host, port: localPort(client), path: "" });
        expect(sendTo(server, room, sender, 0, text.length)).toBe(text.length);
        waitFor(client, EVENT_READ);
        expect(decode(room, recv(client, room))).toBe(text);
      }
      expect(String(sender)).toBe(
        family === "IPv4" ? `${host}:${sender.port}` : `[::1]:${sender.port}`,
      );
    },
  );

  it("cuts a datagram to the room, and uses offset and length", () => {
    const server = fds.keep(bindUdp());
    const client = fds.keep(bindUdp());
    const to = SocketAddress.inet("127.0.0.1", localPort(server));
    const sender = new SocketAddress();
    room.fill(0);
    expect(sendTo(client, encode("0123456789"), to, 2, 6)).toBe(6);
    expect(sendTo(client, encode("next"), to)).toBe(4);
    waitFor(server, EVENT_READ);
    expect(recvFrom(server, room, sender, 3, 4)).toBe(4);
    expect([...room.subarray(2, 8)]).toEqual([0, 50, 51, 52, 53, 0]);
    expect(decode(room, recvFrom(server, room, sender))).toBe("next");
    expect(sendTo(client, new Uint8Array(70_000), to)).toBe(-EMSGSIZE);
  });

  it("learns that no process received a datagram", () => {
    const server = bindUdp();
    const port = localPort(server);
    fds.close(fds.keep(server));
    const client = fds.keep(connectUdp({ port }));
    expect(send(client, encode("x"))).toBe(1);
    waitFor(client, EVENT_READ);
    expect(recv(client, room)).toBe(-ECONNREFUSED);
  });

  it("refuses a port that is taken, and shares one with reusePort", () => {
    const port = localPort(fds.keep(bindUdp()));
    expect(() => bindUdp({ port })).toThrow(failing("EADDRINUSE", "bind"));
    const shared = localPort(fds.keep(bindUdp({ reusePort: true })));
    fds.keep(bindUdp({ reusePort: true, port: shared }));
  });

  it("refuses an address that is none", () => {
    const server = fds.keep(bindUdp());
    for (const address of [undefined, null, {}, new Uint8Array(132)]) {
      expect(sendTo(server, encode("x"), address as unknown as SocketAddress)).toBe(-EINVAL);
      expect(recvFrom(server, room, address as unknown as SocketAddress)).toBe(-EINVAL);
    }
    expect(() => SocketAddress.inet("localhost", 1)).toThrow(failing("EINVAL", "inet_pton"));
    expect(() => SocketAddress.inet("::1", -1)).toThrow(RangeError);
  });
});

describe("addresses and ports", () => {
  it("throw in Node's form if there are none", () => {
    expect(() => peerAddress(fds.listener())).toThrow(failing("ENOTCONN", "getpeername"));
    expect(() => localAddress(unused)).toThrow(failing("EBADF", "getsockname"));
    expect(() => localPort(unused)).toThrow(failing("EBADF", "getsockname"));
    const [a] = keepPair(socketPair());
    expect(() => localPort(a)).toThrow(failing("EAFNOSUPPORT", "getsockname"));
    for (const call of [localPort, localAddress, peerAddress]) {
      expect(() => call(Number.NaN)).toThrow(RangeError);
      expect(() => call("0" as unknown as number)).toThrow(TypeError);
    }
  });
});

describe("options", () => {
  it("are read back as they were set", () => {
    const [a] = fds.pair();
    for (const on of [false, true]) {
      expect(setNoDelay(a, on)).toBe(0);
      expect(getNoDelay(a)).toBe(on ? 1 : 0);
    }
    expect(getKeepAlive(a)).toBe(0);
    expect(setKeepAlive(a)).toBe(0);
    expect(getKeepAlive(a)).toBeGreaterThan(0);
    expect(setKeepAlive(a, true, 77)).toBe(0);
    expect(getKeepAlive(a)).toBe(77);
    expect(setKeepAlive(a, false, 5)).toBe(0);
    expect(getKeepAlive(a)).toBe(0);
  });

  it("count buffers as the kernel does", () => {
    const [a] = fds.pair();
    const factor = linux ? 2 : 1;
    expect(setReceiveBuffer(a, 20_000)).toBe(0);
    expect(getReceiveBuffer(a)).toBe(20_000 * factor);
    expect(setSendBuffer(a, 30_000)).toBe(0);
    expect(getSendBuffer(a)).toBe(30_000 * factor);
  });

  it("have QUICKACK where the kernel does", () => {
    const [a] = fds.pair();
    if (!linux) return expect(setQuickAck(a)).toBe(-ENOPROTOOPT);
    expect(setQuickAck(a, false)).toBe(0);
    expect(getQuickAck(a)).toBe(0);
    expect(setQuickAck(a)).toBe(0);
    expect(getQuickAck(a)).toBe(1);
  });

  it("give accepted sockets NODELAY", () => {
    expect(getNoDelay(fds.pair()[1])).toBe(1);
  });

  it("answer -errno for what they do not fit", () => {
    const [unix] = keepPair(socketPair());
    expect([-EOPNOTSUPP, -ENOPROTOOPT, -EINVAL]).toContain(setNoDelay(unix));
    const [a] = fds.pair();
    expect(setKeepAlive(a, true, -5)).toBe(-EINVAL);
    expect(setKeepAlive(a, true, Number.NaN)).toBe(-EINVAL);
    expect(setReceiveBuffer(a, Number.NaN)).toBe(-EINVAL);
    expect(setSendBuffer(a, 1.5)).toBe(-EINVAL);
    expect(setSendBuffer(a, "9" as unknown as number)).toBe(-EINVAL);
    for (const call of [setNoDelay, getNoDelay, setKeepAlive, getKeepAlive, getQuickAck]) {
      expect(call(unused)).toBe(-EBADF);
      expect(call(Number.NaN)).toBe(-EINVAL);
    }
    for (const call of [getReceiveBuffer, getSendBuffer, getReusePort]) {
      expect(call(unused)).toBe(-EBADF);
      expect(call(Number.POSITIVE_INFINITY)).toBe(-EINVAL);
    }
    expect(socketError(unused)).toBe(EBADF);
    expect(socketError(2 ** 32)).toBe(EINVAL);
    expect(accept(Number.NaN)).toBe(-EINVAL);
    expect(accept(unused)).toBe(-EBADF);
  });
});

describe("sockets in a selector", () => {
  it.each([
    ["the default one", () => new DefaultSelector<string>()],
    ["poll", () => new PollSelector<string>()],
  ])("are distinguished by kind: %s", (_name, make) => {
    using selector = make();
    const [a, b] = keepPair(socketPair());
    const udp = fds.keep(bindUdp());
    const path = join(folder, "listener");
    selector.register(b, EVENT_READ, "pair");
    selector.register(udp, EVENT_READ, "udp");
    selector.register(fds.keep(listenUnix({ path })), EVENT_READ, "listener");
    expect(selector.select(0)).toEqual([]);
    send(a, encode("x"));
    fds.keep(connectUnix({ path }));
    sendTo(fds.keep(bindUdp()), encode("x"), localAddress(udp));
    waitFor(udp, EVENT_READ);
    const ready = selector.select(5000).map(({ key }) => key.data);
    expect(ready.sort()).toEqual(["listener", "pair", "udp"]);
  });
});
