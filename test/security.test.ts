// Wrong and hostile calls: they must cause an error or a negative errno, never a crash, and never
// touch another owner's descriptor. The fuzzer (test/fuzz/arguments.mjs) does the same at random;
// this file has the cases that must always be tested.

/// <reference lib="es2024.arraybuffer" />
/// <reference lib="es2024.sharedmemory" />

import { fstatSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import * as io from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";
import { Descriptors } from "./conformance/socket-pair.ts";

const fds = new Descriptors();
afterEach(() => fds.closeAll());

function pair(): [number, number] {
  const [a, b] = io.socketPair();
  return [fds.keep(a), fds.keep(b)];
}

type Transfer = (fd: number, bytes: Uint8Array, offset?: number, length?: number) => number;
const transfers: readonly (readonly [string, Transfer])[] = [
  ["recv", io.recv],
  ["send", io.send],
  ["read", io.read],
  ["write", io.write],
];

describe.each(transfers)("%s", (_name, transfer) => {
  it.each([-1, 1.5, Number.NaN, 2 ** 31, 2 ** 53, "3", null, undefined, {}, Symbol("fd"), 3n])(
    "refuses %s as a descriptor",
    (fd) => {
      expect(transfer(fd as number, new Uint8Array(1))).toBeLessThan(0);
    },
  );

  it.each([
    [-1, 1],
    [0, -1],
    [0, 17],
    [17, 0],
    [16, 1],
    [2 ** 32, 1],
    [0, 2 ** 32 + 1],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [Number.NaN, 1],
    [0.5, 1],
    [0, Number.POSITIVE_INFINITY],
  ])("refuses offset %s with length %s of 16 bytes", (offset, length) => {
    const [a, b] = pair();
    io.send(b, new Uint8Array(64));
    expect(transfer(a, new Uint8Array(16), offset, length)).toBe(-io.EINVAL);
  });

  it.each([
    ["an array", [1, 2]],
    ["a string", "bytes"],
    ["a proxy of bytes", new Proxy(new Uint8Array(8), {})],
    ["an object with the prototype of bytes", Object.create(Uint8Array.prototype)],
    ["a DataView", new DataView(new ArrayBuffer(8))],
    ["nothing", undefined],
  ])("refuses %s as bytes", (_what, bytes) => {
    const [a] = pair();
    expect(transfer(a, bytes as Uint8Array)).toBe(-io.EINVAL);
  });
});

describe("a buffer that changes under its view", () => {
  it("detached holds nothing", () => {
    const [a, b] = pair();
    io.send(b, new Uint8Array(4));
    const bytes = new Uint8Array(4);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    for (const [, transfer] of transfers) expect(transfer(a, bytes)).toBeLessThanOrEqual(0);
    expect(io.recv(a, bytes, 0, 4)).toBe(-io.EINVAL);
  });

  it("shrunk below the view, holds nothing", () => {
    const [a, b] = pair();
    io.send(b, new Uint8Array(4));
    const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
    const bytes = new Uint8Array(buffer, 32, 32);
    buffer.resize(16);
    for (const [, transfer] of transfers) expect(transfer(a, bytes)).toBeLessThanOrEqual(0);
    expect(io.recv(a, bytes, 0, 4)).toBe(-io.EINVAL);
  });

  it("shrunk, a view that follows it ends where it ends", () => {
    const [a, b] = pair();
    io.send(b, new Uint8Array(64).fill(7));
    const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
    const bytes = new Uint8Array(buffer);
    buffer.resize(16);
    expect(io.recv(a, bytes)).toBe(16);
    expect(io.recv(a, bytes, 0, 17)).toBe(-io.EINVAL);
    buffer.resize(32);
    expect(io.recv(a, bytes)).toBe(32);
    expect([...bytes]).toEqual(new Array(32).fill(7));
  });

  it("shared and grown meanwhile, is taken as far as it goes, or refused", () => {
    const [a, b] = pair();
    const shared = new SharedArrayBuffer(16, { maxByteLength: 64 });
    const bytes = new Uint8Array(shared);
    io.send(b, new Uint8Array(64).fill(7));
    shared.grow(32);
    const n = io.recv(a, bytes);
    expect([-io.EINVAL, 32]).toContain(n);
    expect(new Uint8Array(shared).every((byte) => byte === (n === 32 ? 7 : 0))).toBe(true);
  });
});

describe("prototypes that were tampered with", () => {
  /** Replaces a property while `act` runs. */
  function tampered<R>(owner: object, name: PropertyKey, value: unknown, act: () => R): R {
    const before = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
    try {
      return act();
    } finally {
      if (before === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, before);
    }
  }

  it.each(["length", "byteLength", "byteOffset", "buffer"])(
    "do not lend bytes a %s that they lack",
    (name) => {
      const [a, b] = pair();
      io.send(b, new Uint8Array(64).fill(7));
      const memory = new Uint8Array(64);
      const bytes = memory.subarray(0, 8);
      const typed = Object.getPrototypeOf(Uint8Array.prototype);
      const n = tampered(typed, name, 4096, () => io.recv(a, bytes));
      expect(n).toBeLessThanOrEqual(8);
      expect(memory.subarray(8).every((byte) => byte === 0)).toBe(true);
    },
  );

  it("do not let a class of one's own lend it, either", () => {
    class Liar extends Uint8Array {
      override get length(): number {
        return 4096;
      }
      override get byteLength(): number {
        return 4096;
      }
    }
    const [a, b] = pair();
    io.send(b, new Uint8Array(64).fill(7));
    const memory = new Uint8Array(64);
    expect(io.recv(a, new Liar(memory.buffer, 0, 8))).toBe(8);
    expect(memory.subarray(8).every((byte) => byte === 0)).toBe(true);
  });

  it.each(selectorClasses)("leave %s with its own keys", (_name, make) => {
    using selector = make<string>();
    const [a] = pair();
    const inherited = tampered(Object.prototype, "fd", a, () => {
      return selector.register({} as io.FileLike, io.EVENT_READ);
    });
    expect(selector.getKey(a)).toBe(inherited);
    const frozen = tampered(
      Object,
      "freeze",
      (object: object) => object,
      () => {
        const [b] = pair();
        return selector.register(b, io.EVENT_WRITE, "key");
      },
    );
    expect(selector.select(1000).map(({ key }) => key.fd)).toContain(frozen.fd);
  });
});

describe.each(selectorClasses)("%s", (_name, make) => {
  const bad = [-1, 1.5, Number.NaN, 2 ** 31, Number.MAX_SAFE_INTEGER, "3", null, undefined, 3n];

  it.each(bad)("refuses %s as a descriptor", (fd) => {
    using selector = make();
    for (const call of ["register", "modify", "unregister", "getKey"] as const) {
      expect(() => selector[call](fd as number, io.EVENT_READ)).toThrow(Error);
    }
    expect(selector.size).toBe(0);
  });

  it("refuses a descriptor that is not open, or finds it out in the wait", () => {
    using selector = make();
    const [closed, other] = io.pipe();
    for (const fd of [closed, other]) io.close(fd);
    try {
      selector.register(closed, io.EVENT_READ);
    } catch (error) {
      expect(error).toMatchObject({ code: "EBADF" });
    }
    expect(selector.select(0).length).toBeLessThanOrEqual(1);
  });

  it("throws after close, whatever is called, and keeps nothing open", () => {
    const selector = make();
    const [a] = pair();
    selector.register(a, io.EVENT_READ);
    const waker = selector.waker();
    selector.close();
    selector.close();
    const calls = [
      () => selector.register(a, io.EVENT_READ),
      () => selector.modify(a, io.EVENT_READ),
      () => selector.unregister(a),
      () => selector.getKey(a),
      () => selector.select(0),
      () => selector.poll(0),
      () => selector.waker(),
      () => selector.fileno(),
    ];
    for (const call of calls) expect(call).toThrow(/closed/i);
    waker.wake();
    expect(selector.getMap()).toBeNull();
    expect(() => fstatSync(a)).not.toThrow();
  });
});

describe("servers bind to loopback by default", () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;

  it("listenTcp and bindUdp", () => {
    const listener = fds.keep(io.listenTcp());
    const socket = fds.keep(io.bindUdp());
    for (const fd of [listener, socket])
      expect(io.localAddress(fd)).toMatchObject({ host: "127.0.0.1" });
  });

  it.skipIf(outside === undefined)(
    `no server is reached at another address of this machine`,
    async () => {
      const port = io.localPort(fds.keep(io.listenTcp()));
      const socket = connect(port, outside);
      const answer = await new Promise((resolve) => {
        socket.once("connect", () => resolve("connected"));
        socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
      });
      socket.destroy();
      expect(answer).toBe("ECONNREFUSED");
    },
  );
});
