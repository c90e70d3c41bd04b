// Descriptors that Node cannot watch, read and written on the real ones and waited for with a
// Selector; and what I/O answers to arguments that make no sense.

import {
  existsSync,
  constants as fileConstants,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants, endianness, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  bindUdp,
  close,
  DefaultSelector,
  decodeInotify,
  dup,
  EVENT_READ,
  EVENT_WRITE,
  eventfd,
  FLAG_HANGUP,
  localAddress,
  makeFifo,
  openFifo,
  openNetlink,
  openPty,
  openTimer,
  PollSelector,
  pipe,
  read,
  readEventfd,
  readTimer,
  recv,
  recvFrom,
  type Selector,
  SocketAddress,
  send,
  sendTo,
  setNonBlocking,
  socketPair,
  watchDirectory,
  write,
  writeEventfd,
} from "../src/index.ts";
import { Descriptors, waitFor } from "./conformance/socket-pair.ts";

const { EAGAIN, EBADF, EINVAL, EIO, EPIPE } = constants.errno;
const linux = process.platform === "linux";
const unused = 987_654;

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array, n: number) => new TextDecoder().decode(bytes.subarray(0, n));
const failing = (code: string, syscall: string) =>
  expect.objectContaining({ code, syscall, errno: expect.any(Number) });

let fds: Descriptors;
let folder: string;
const room = new Uint8Array(4096);
const keepPair = ([a, b]: [number, number]): [number, number] => [fds.keep(a), fds.keep(b)];

beforeEach(() => {
  fds = new Descriptors();
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
});
afterEach(() => {
  fds.closeAll();
  rmSync(folder, { recursive: true });
});

const selectors: readonly [string, () => Selector<string>][] = [
  ["the default selector", () => new DefaultSelector<string>()],
  ["poll", () => new PollSelector<string>()],
];

/** Where a sandbox refuses what a test needs: why, as the reason for leaving it out. */
function refusal(open: () => number): string | null {
  try {
    close(open());
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

describe.each(selectors)("watched by %s", (_name, make) => {
  let selector: Selector<string>;
  beforeEach(() => {
    selector = make();
  });
  afterEach(() => selector.close());

  const isReady = (timeoutMs: number) => selector.poll(timeoutMs) === 1;

  it("a pipe is readable, then at its end", () => {
    const [reader, writer] = keepPair(pipe());
    selector.register(reader, EVENT_READ);
    expect(isReady(0)).toBe(false);
    expect(read(reader, room)).toBe(-EAGAIN);
    expect(write(writer, encode("through"))).toBe(7);
    expect(isReady(5000)).toBe(true);
    expect(decode(room, read(reader, room))).toBe("through");
    fds.close(writer);
    expect(isReady(5000)).toBe(true);
    expect(selector.readyFlags(0) & FLAG_HANGUP).toBe(FLAG_HANGUP);
    expect(read(reader, room)).toBe(0);
  });

  it("a full pipe is not writable, and without a reader answers -EPIPE", () => {
    const [reader, writer] = keepPair(pipe());
    selector.register(writer, EVENT_WRITE);
    expect(isReady(0)).toBe(true);
    for (let i = 0; i < 10_000 && write(writer, room) > 0; i++);
    expect(write(writer, room)).toBe(-EAGAIN);
    expect(isReady(0)).toBe(false);
    fds.close(reader);
    expect(isReady(5000)).toBe(true);
    expect(write(writer, room)).toBe(-EPIPE);
  });

  it("a FIFO is readable once written, and at its end once its writer closed", () => {
    const path = join(folder, "fifo");
    makeFifo(path, 0o600);
    expect(() => openFifo(path, "write")).toThrow(failing("ENXIO", "open"));
    const reader = fds.keep(openFifo(path, "read"));
    selector.register(reader, EVENT_READ);
    expect(isReady(0)).toBe(false);
    for (const text of ["first", "second"]) {
      const writer = fds.keep(openFifo(path, "write"));
      expect(read(reader, room)).toBe(-EAGAIN);
      expect(write(writer, encode(text))).toBe(text.length);
      expect(isReady(5000)).toBe(true);
      expect(decode(room, read(reader, room))).toBe(text);
      expect(isReady(0)).toBe(false);
      fds.close(writer);
      expect(isReady(5000)).toBe(true);
      expect(read(reader, room)).toBe(0);
    }
  });

  it("a pseudo-terminal echoes and hands over lines", () => {
    const { controller, terminal, path } = openPty();
    keepPair([controller, terminal]);
    expect(path).toMatch(/^\/dev\//);
    selector.register(controller, EVENT_READ, "controller");
    selector.register(terminal, EVENT_READ, "terminal");
    expect(selector.select(0)).toEqual([]);
    expect(write(controller, encode("ls\n"))).toBe(3);
    expect(readUntil(controller, "ls\r\n")).toBe("ls\r\n");
    waitFor(terminal, EVENT_READ);
    expect(selector.select(5000).map(({ key }) => key.data)).toEqual(["terminal"]);
    expect(decode(room, read(terminal, room))).toBe("ls\n");
    expect(write(terminal, encode("file\n"))).toBe(5);
    expect(readUntil(controller, "file\r\n")).toBe("file\r\n");
    selector.unregister(terminal);
    fds.close(terminal);
    expect(isReady(5000)).toBe(true);
    expect([0, -EIO]).toContain(read(controller, room));
  });

  it.skipIf(!linux)("an eventfd counts", () => {
    const fd = fds.keep(eventfd(3));
    selector.register(fd, EVENT_READ);
    expect(isReady(0)).toBe(true);
    expect(readEventfd(fd)).toBe(3);
    expect(readEventfd(fd)).toBe(-EAGAIN);
    expect(isReady(0)).toBe(false);
    expect(writeEventfd(fd)).toBe(0);
    expect(writeEventfd(fd, 2 ** 40)).toBe(0);
    expect(isReady(5000)).toBe(true);
    expect(read(fd, room)).toBe(8);
    expect(new BigUint64Array(room.buffer, 0, 1)[0]).toBe(2n ** 40n + 1n);
    for (const count of [-1, 1.5, Number.NaN, 2 ** 54, "1" as unknown as number]) {
      expect(writeEventfd(fd, count)).toBe(-EINVAL);
    }
    expect(() => eventfd(-1)).toThrow(RangeError);
    expect(() => eventfd(2 ** 32)).toThrow(RangeError);
  });

  it.skipIf(!linux)("a timer expires, again and again", () => {
    const started = process.hrtime.bigint();
    const once = fds.keep(openTimer(20.5));
    selector.register(once, EVENT_READ);
    expect(readTimer(fds.keep(openTimer(60_000)))).toBe(-EAGAIN);
    expect(isReady(5000)).toBe(true);
    expect(Number(process.hrtime.bigint() - started) / 1e6).toBeGreaterThanOrEqual(20.5);
    expect(readTimer(once)).toBe(1);
    expect(isReady(30)).toBe(false);
    selector.unregister(once);

    const often = fds.keep(openTimer(0, 5));
    selector.register(often, EVENT_READ);
    let expirations = 0;
    while (expirations < 5 && isReady(5000)) expirations += readTimer(often);
    expect(expirations).toBeGreaterThanOrEqual(5);
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => openTimer(ms)).toThrow(RangeError);
      expect(() => openTimer(1, ms)).toThrow(RangeError);
    }
  });

  it.skipIf(!linux)("a folder tells of its changes", () => {
    const fd = fds.keep(watchDirectory(folder));
    selector.register(fd, EVENT_READ);
    expect(isReady(0)).toBe(false);
    writeFileSync(join(folder, "new"), "content");
    renameSync(join(folder, "new"), join(folder, "renamed"));
    rmSync(join(folder, "renamed"));
    expect(isReady(5000)).toBe(true);
    const n = read(fd, room);
    const names = decodeInotify(room, n).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["new", "renamed"]));
    expect(() => watchDirectory(join(folder, "none"))).toThrow(
      failing("ENOENT", "inotify_add_watch"),
    );
    writeFileSync(join(folder, "file"), "");
    expect(() => watchDirectory(join(folder, "file"))).toThrow(
      failing("ENOTDIR", "inotify_add_watch"),
    );
  });

  const noNetlink = linux ? refusal(() => openNetlink({ family: "route" })) : "Linux only";
  it.skipIf(noNetlink)(`netlink lists the links${noNetlink ? ` (${noNetlink})` : ""}`, () => {
    const fd = fds.keep(openNetlink({ family: "route" }));
    selector.register(fd, EVENT_READ);
    expect(isReady(0)).toBe(false);
    const request = linkDump();
    expect(send(fd, request)).toBe(request.length);
    expect(isReady(5000)).toBe(true);
    const answer = new Uint8Array(1 << 16);
    const n = recv(fd, answer);
    expect(n).toBeGreaterThan(16);
    const RTM_NEWLINK = 16;
    expect(new Uint16Array(answer.buffer, 4, 1)[0]).toBe(RTM_NEWLINK);
    expect(decode(answer, n)).toContain("lo\0");
  });
});

/** Reads until `text` is complete: a terminal may hand over what is echoed in parts. */
function readUntil(fd: number, text: string): string {
  let all = "";
  while (all.length < text.length) {
    waitFor(fd, EVENT_READ);
    all += decode(room, read(fd, room));
  }
  return all;
}

/** RTM_GETLINK for all links: struct nlmsghdr, then an empty struct ifinfomsg. rtnetlink(7) */
function linkDump(): Uint8Array {
  const RTM_GETLINK = 18;
  const NLM_F_REQUEST_DUMP = 0x301;
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  const little = endianness() === "LE";
  view.setUint32(0, bytes.length, little);
  view.setUint16(4, RTM_GETLINK, little);
  view.setUint16(6, NLM_F_REQUEST_DUMP, little);
  return bytes;
}

describe("any descriptor", () => {
  it("duplicates into one of its own", () => {
    const [reader, writer] = keepPair(pipe());
    const copy = fds.keep(dup(writer));
    expect(copy).not.toBe(writer);
    fds.close(writer);
    expect(write(copy, encode("x"))).toBe(1);
    expect(read(reader, room)).toBe(1);
    expect(read(reader, room)).toBe(-EAGAIN);
    fds.close(copy);
    expect(read(reader, room)).toBe(0);
    expect(() => dup(unused)).toThrow(failing("EBADF", "fcntl"));
    expect(() => dup(Number.NaN)).toThrow(RangeError);
    expect(() => dup("1" as unknown as number)).toThrow(TypeError);
  });

  it("blocks or not for all of its duplicates", () => {
    const [reader] = keepPair(pipe());
    const copy = fds.keep(dup(reader));
    expect(setNonBlocking(reader, false)).toBe(0);
    expect(setNonBlocking(copy)).toBe(0);
    expect(read(reader, room)).toBe(-EAGAIN);
    expect(setNonBlocking(unused)).toBe(-EBADF);
    expect(setNonBlocking(Number.NaN)).toBe(-EINVAL);
  });

  it("closes once, and never what is no descriptor", () => {
    const [reader] = keepPair(pipe());
    expect(close(reader)).toBe(0);
    expect(close(reader)).toBe(-EBADF);
    for (const fd of [
      Number.NaN,
      0.5,
      2 ** 32,
      Number.NEGATIVE_INFINITY,
      "0",
      null,
      undefined,
      {},
    ]) {
      expect(close(fd as number)).toBe(-EINVAL);
    }
    expect(close(-1)).toBe(-EBADF);
    const standard = dup(0);
    expect(close(standard)).toBe(0);
  });

  /** One of each kind, into `open`. */
  const openAll = (path: string, open = new Descriptors()) => {
    const { controller, terminal } = openPty();
    for (const fd of [...pipe(), ...socketPair(), controller, terminal, bindUdp()]) open.keep(fd);
    open.keep(openFifo(path, "read"));
    open.keep(openFifo(path, "write"));
    open.keep(dup(controller));
    open.pair();
    if (linux) for (const fd of [eventfd(), openTimer(1), watchDirectory(folder)]) open.keep(fd);
    return open;
  };

  it.skipIf(!linux)("does not block, and closes on exec, whatever opened it", () => {
    const path = join(folder, "fifo");
    makeFifo(path);
    const before = new Set(readdirSync("/proc/self/fd"));
    openAll(path, fds);
    const opened = readdirSync("/proc/self/fd").filter((fd) => !before.has(fd));
    const flags = opened.filter((fd) => existsSync(`/proc/self/fd/${fd}`)).map(flagsOf);
    expect(flags.length).toBeGreaterThan(12);
    const wanted = 0o2000000 | fileConstants.O_NONBLOCK;
    for (const flag of flags) expect(flag & wanted).toBe(wanted);
  });

  it("leaves no number behind", () => {
    const path = join(folder, "fifo");
    makeFifo(path);
    const next = nextNumber();
    for (let i = 0; i < 50; i++) openAll(path).closeAll();
    const all = Array.from({ length: 20 }, () => openAll(path));
    for (const open of all) open.closeAll();
    for (let i = 0; i < 50; i++) {
      expect(() => openFifo(join(folder, "none"), "read")).toThrow();
      if (linux) expect(() => watchDirectory(join(folder, "none"))).toThrow();
    }
    expect(nextNumber()).toBe(next);
  });

  it("is opened by a path and a mode that make sense", () => {
    const path = join(folder, "fifo");
    makeFifo(path);
    expect(() => makeFifo(path)).toThrow(failing("EEXIST", "mkfifo"));
    expect(() => openFifo(join(folder, "none"), "read")).toThrow(failing("ENOENT", "open"));
    const value = expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" });
    for (const bad of ["", "a\0b"]) {
      expect(() => makeFifo(bad)).toThrow(value);
      expect(() => openFifo(bad, "read")).toThrow(value);
      if (linux) expect(() => watchDirectory(bad)).toThrow(value);
    }
    expect(() => makeFifo(path, -1)).toThrow(value);
    expect(() => openFifo(path, "both" as "read")).toThrow(value);
    expect(() => makeFifo(null as unknown as string)).toThrow(TypeError);
  });
});

/** The flags of open(2). proc_pid_fdinfo(5) */
function flagsOf(fd: string): number {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
  return Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? "0", 8);
}

/** The lowest number that is free. */
function nextNumber(): number {
  const [reader, writer] = pipe();
  close(reader);
  close(writer);
  return reader;
}

const address = new SocketAddress();
type Transfer = (fd: number, bytes: Uint8Array, offset?: number, length?: number) => number;
const receives: readonly [string, Transfer][] = [
  ["recv", recv],
  ["read", read],
  ["recvFrom", (fd, bytes, offset, length) => recvFrom(fd, bytes, address, offset, length)],
];
const sends: readonly [string, Transfer][] = [
  ["send", send],
  ["write", write],
  ["sendTo", (fd, bytes, offset, length) => sendTo(fd, bytes, peer, offset, length)],
];
let peer = new SocketAddress();

describe.each([...receives, ...sends])("%s", (name, transfer) => {
  const sending = sends.some(([other]) => other === name);
  let here: number;
  let there: number;

  /** Datagrams, so that each call counts by itself. */
  beforeEach(() => {
    here = fds.keep(bindUdp());
    there = fds.keep(bindUdp());
    peer = localAddress(there);
    if (name !== "sendTo" && sending) [here, there] = keepPair(socketPair("datagram"));
  });

  /** Puts a datagram where it will be received, or takes the one that was sent. */
  const expectToWork = (bytes: Uint8Array, offset?: number, length?: number) => {
    const size = length ?? bytes.length - (offset ?? 0);
    if (!sending) {
      sendTo(there, new Uint8Array(size).fill(7), localAddress(here));
      waitFor(here, EVENT_READ);
    }
    expect(transfer(here, bytes, offset, length)).toBe(size);
    if (!sending) return;
    waitFor(there, EVENT_READ);
    expect(recv(there, room)).toBe(size);
  };

  const expectNothingMoved = () => {
    if (sending) expect(recv(there, room)).toBe(-EAGAIN);
    else expectToWork(new Uint8Array(8));
  };

  it("moves a range, and nothing beside it", () => {
    const bytes = new Uint8Array(8);
    expectToWork(bytes, 2, 3);
    if (!sending) expect([...bytes]).toEqual([0, 0, 7, 7, 7, 0, 0, 0]);
    expectToWork(bytes);
    expectToWork(bytes, 7);
    expectToWork(bytes, undefined, 1);
    expectToWork(Buffer.alloc(4));
    expectToWork(new Uint8Array(new ArrayBuffer(16), 4, 8), 1, 7);
  });

  it.each([
    ["a negative offset", -1, 1],
    ["a negative length", 0, -1],
    ["an offset beyond", 9, 0],
    ["a length beyond", 0, 9],
    ["a length beyond from an offset on", 5, 4],
    ["a great length", 0, 1e9],
    ["a length of 2^32", 0, 2 ** 32],
    ["a great offset", 2 ** 32, 1],
    ["NaN as offset", Number.NaN, 1],
    ["NaN as length", 0, Number.NaN],
    ["infinity", 0, Number.POSITIVE_INFINITY],
    ["a fraction as offset", 0.5, 1],
    ["a fraction as length", 0, 1.5],
    ["text", "0", 1],
    ["null", 0, null],
    ["an object", {}, 1],
    ["a bigint", 0n, 1],
    ["a symbol", 0, Symbol("length")],
  ])("answers -EINVAL to %s", (_case, offset, length) => {
    const bytes = new Uint8Array(8);
    expect(transfer(here, bytes, offset as number, length as number)).toBe(-EINVAL);
    expectNothingMoved();
  });

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["text", "bytes"],
    ["an array", [1, 2, 3]],
    ["an ArrayBuffer", new ArrayBuffer(8)],
    ["a DataView", new DataView(new ArrayBuffer(8))],
    ["an array of other integers", new Int32Array(8)],
    ["a clamped array", new Uint8ClampedArray(8)],
    ["a Proxy", new Proxy(new Uint8Array(8), {})],
  ])("answers -EINVAL to %s instead of bytes", (_case, bytes) => {
    expect(transfer(here, bytes as Uint8Array)).toBe(-EINVAL);
    expect(transfer(here, bytes as Uint8Array, 0, 1)).toBe(-EINVAL);
    expectNothingMoved();
  });

  it("answers -EINVAL to what is no descriptor, and -EBADF to what is not open", () => {
    const bytes = new Uint8Array(8);
    for (const fd of [Number.NaN, 0.5, 2 ** 32, 2 ** 53, "3", null, undefined, {}]) {
      expect(transfer(fd as number, bytes)).toBe(-EINVAL);
    }
    expect(transfer(-1, bytes)).toBe(-EBADF);
    expect(transfer(unused, bytes)).toBe(-EBADF);
    fds.close(here);
    expect(transfer(here, bytes)).toBe(-EBADF);
  });

  it("answers -EINVAL to a detached buffer", () => {
    const bytes = new Uint8Array(8);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(transfer(here, bytes)).toBe(-EINVAL);
    expect(transfer(here, bytes, 0, 0)).toBe(-EINVAL);
    expect(transfer(here, bytes, 0, 8)).toBe(-EINVAL);
    expectNothingMoved();
  });

  it("takes shared memory", () => {
    expectToWork(new Uint8Array(new SharedArrayBuffer(8)));
    expectToWork(new Uint8Array(new SharedArrayBuffer(8), 4), 1, 2);
  });

  it("follows a buffer that shrinks and grows", () => {
    const buffer = new (ArrayBuffer as unknown as ResizableArrayBuffer)(16, { maxByteLength: 64 });
    const tracking = new Uint8Array(buffer);
    const fixed = new Uint8Array(buffer, 0, 16);
    const high = new Uint8Array(buffer, 12, 4);
    expectToWork(tracking);
    buffer.resize(8);
    expect(transfer(here, tracking, 0, 16)).toBe(-EINVAL);
    expect(transfer(here, fixed, 0, 16)).toBe(-EINVAL);
    expect(transfer(here, high, 0, 4)).toBe(-EINVAL);
    expect(transfer(here, high, 0, 1)).toBe(-EINVAL);
    if (!sending) for (const view of [fixed, high]) expect(transfer(here, view)).toBe(-EINVAL);
    expectToWork(tracking);
    buffer.resize(0);
    expect(transfer(here, tracking, 0, 8)).toBe(-EINVAL);
    buffer.resize(64);
    expectToWork(tracking);
    expectToWork(fixed);
  });

  it(sending ? "sends an empty datagram" : "needs room, so that 0 has one meaning", () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(8).subarray(8), new Uint8Array(8)]) {
      if (sending) expectToWork(bytes, 0, 0);
      else expect(transfer(here, bytes, bytes.length)).toBe(-EINVAL);
    }
    if (!sending) expect(transfer(here, new Uint8Array(8), 0, 0)).toBe(-EINVAL);
  });
});

/** ES2024, which the types of this project do not reach. */
type ResizableArrayBuffer = new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(length: number): void };
