// Descriptors over Unix sockets: within a thread, to a worker, to another process, and what happens
// to those that find no room.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  close,
  EVENT_READ,
  pipe,
  read,
  receiveDescriptor,
  recv,
  send,
  sendDescriptor,
  setNonBlocking,
  socketPair,
  write,
} from "../src/index.ts";
import { Descriptors, fill, waitFor } from "./conformance/socket-pair.ts";

const { EAGAIN, EBADF, EINVAL, EMFILE, EMSGSIZE, ENOTSOCK, EPIPE } = constants.errno;
const linux = process.platform === "linux";
const library = new URL("../dist/src/index.js", import.meta.url).href;
const room = new Uint8Array(256);
const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (n: number) => new TextDecoder().decode(room.subarray(0, Math.max(n, 0)));

let fds: Descriptors;
let left: number;
let right: number;
beforeEach(() => {
  fds = new Descriptors();
  [left, right] = pairOf("stream");
});
afterEach(() => fds.closeAll());

function pairOf(type: "stream" | "datagram" | "seqpacket"): [number, number] {
  const [one, two] = socketPair(type);
  return [fds.keep(one), fds.keep(two)];
}

function pipeOf(): [number, number] {
  const [reader, writer] = pipe();
  return [fds.keep(reader), fds.keep(writer)];
}

/** Receives, and keeps what came. */
function receive(socket: number, most: number): { n: number; got: number[] } {
  const descriptors = new Int32Array(most).fill(-7);
  const n = receiveDescriptor(socket, descriptors, room);
  const got = [...descriptors].filter((fd) => fd >= 0);
  for (const fd of got) fds.keep(fd);
  if (n >= 0) expect([...descriptors].slice(got.length).every((fd) => fd === -1)).toBe(true);
  return { n, got };
}

const openCount = () => readdirSync(linux ? "/proc/self/fd" : "/dev/fd").length;

describe("passing descriptors", () => {
  it.for(["stream", "datagram", "seqpacket"] as const)("works on %s sockets", (type, { skip }) => {
    skip(type === "seqpacket" && process.platform === "darwin", "macOS has no such sockets");
    const [from, to] = pairOf(type);
    const [reader, writer] = pipeOf();
    expect(receive(to, 1)).toEqual({ n: -EAGAIN, got: [] });
    expect(sendDescriptor(from, writer, bytes("take this"))).toBe(9);
    fds.close(writer); // the one in flight is a duplicate
    const { n, got } = receive(to, 1);
    expect(textOf(n)).toBe("take this");
    expect(got).toHaveLength(1);
    expect(write(got[0] ?? -1, bytes("through it"))).toBe(10);
    expect(textOf(read(reader, room))).toBe("through it");
    fds.close(got[0] ?? -1);
    expect(read(reader, room)).toBe(0);
  });

  it("carries up to 253, in order, close-on-exec, sharing the open file", () => {
    const ends = Int32Array.from({ length: 253 }, () => pipeOf()[1]);
    expect(sendDescriptor(left, ends, bytes("x"))).toBe(1);
    const { n, got } = receive(right, 300);
    expect(n).toBe(1);
    expect(got).toHaveLength(253);
    if (linux) {
      const inode = (fd: number) => readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
      for (const fd of got) expect(inode(fd)).toMatch(/^flags:\s+0*2[0-7]{6}$/m);
    }
    const [reader, writer] = pipeOf();
    expect(sendDescriptor(left, reader, bytes("x"))).toBe(1);
    const copy = receive(right, 1).got[0] ?? -1;
    expect(setNonBlocking(copy, false)).toBe(0);
    expect(setNonBlocking(copy, true)).toBe(0);
    expect(write(writer, bytes("abc"))).toBe(3);
    expect(read(copy, room, 0, 1)).toBe(1);
    expect(read(reader, room)).toBe(2);
  });

  it("sends ranges, and keeps the bytes of one message apart from the next descriptor's", () => {
    const [reader, writer] = pipeOf();
    expect(send(left, bytes("before"))).toBe(6);
    expect(sendDescriptor(left, reader, bytes("-first-"), 1, 5)).toBe(5);
    expect(send(left, bytes("plain"))).toBe(5);
    expect(sendDescriptor(left, writer, bytes("second"))).toBe(6);
    const heard: [string, number][] = [];
    for (let text = ""; text.length < 22; ) {
      const { n, got } = receive(right, 2);
      expect(n).toBeGreaterThan(0);
      text += textOf(n);
      heard.push([text, got.length]);
    }
    expect(heard.at(-1)?.[0]).toBe("beforefirstplainsecond");
    expect(heard.map(([, count]) => count).filter((count) => count > 0)).toEqual([1, 1]);
    const into = new Uint8Array(8);
    expect(send(left, bytes("abc"))).toBe(3);
    expect(receiveDescriptor(right, new Int32Array(0), into, 2, 3)).toBe(3);
    expect([...into]).toEqual([0, 0, 97, 98, 99, 0, 0, 0]);
  });

  it("closes what finds no room, and keeps nothing open", () => {
    const [reader, writer] = pipeOf();
    const before = openCount();
    expect(sendDescriptor(left, Int32Array.of(reader, writer, reader), bytes("three"))).toBe(5);
    expect(receive(right, 2)).toEqual({ n: -EMSGSIZE, got: [] });
    expect(sendDescriptor(left, writer, bytes("one"))).toBe(3);
    expect(receive(right, 0)).toEqual({ n: -EMSGSIZE, got: [] });
    expect(openCount()).toBe(before);
    expect(sendDescriptor(left, writer, bytes("one"))).toBe(3);
    expect(recv(right, room)).toBe(3); // without asking for descriptors
    expect(openCount()).toBe(before);
    fds.close(writer);
    expect(read(reader, room)).toBe(0); // no duplicate is left
  });

  it.skipIf(!linux)("closes what came where no more may be opened", () => {
    const program = `
      const io = await import("${library}");
      const [left, right] = io.socketPair();
      const [, writer] = io.pipe();
      io.sendDescriptor(left, Int32Array.of(writer, writer, writer), Buffer.from("x"));
      const open = [];
      try { for (;;) open.push(io.dup(writer)); } catch {}
      for (const fd of open.splice(-2)) io.close(fd);
      const descriptors = new Int32Array(3).fill(-7);
      const n = io.receiveDescriptor(right, descriptors, new Uint8Array(8));
      let free = 0;
      try { for (;; free++) io.dup(writer); } catch {}
      console.log(JSON.stringify({ n, free, left: [...descriptors] }));`;
    const shell = 'ulimit -n 64; exec "$0" --input-type=module --eval "$1"';
    const { stdout } = spawnSync("sh", ["-c", shell, process.execPath, program]);
    expect(JSON.parse(String(stdout))).toEqual({ n: -EMFILE, free: 2, left: [-7, -7, -7] });
  });

  it("reports the end of the file, a closed peer and a full queue", () => {
    const [, writer] = pipeOf();
    fill(left);
    expect(sendDescriptor(left, writer, bytes("x"))).toBe(-EAGAIN);
    const [from, to] = pairOf("stream");
    fds.close(to);
    expect(sendDescriptor(from, writer, bytes("x"))).toBe(-EPIPE);
    expect(receive(from, 1)).toEqual({ n: 0, got: [] });
    expect(sendDescriptor(writer, writer, bytes("x"))).toBe(-ENOTSOCK);
    expect(receive(writer, 1)).toEqual({ n: -ENOTSOCK, got: [] });
  });

  it("never blocks, on a blocking socket neither", () => {
    setNonBlocking(right, false);
    expect(receive(right, 1)).toEqual({ n: -EAGAIN, got: [] });
  });

  it("answers -errno to what makes no sense, and sends nothing", () => {
    const [, writer] = pipeOf();
    const one = bytes("x");
    expect(sendDescriptor(left, 987_654, one)).toBe(-EBADF);
    expect(sendDescriptor(left, -1, one)).toBe(-EBADF);
    for (const wrong of [Number.NaN, 0.5, 2 ** 32, "1", null, undefined, {}, [writer], 1n]) {
      expect(sendDescriptor(left, wrong as number, one)).toBe(-EINVAL);
      expect(sendDescriptor(wrong as number, writer, one)).toBe(-EINVAL);
      expect(receiveDescriptor(right, wrong as unknown as Int32Array, room)).toBe(-EINVAL);
      expect(receiveDescriptor(wrong as number, new Int32Array(1), room)).toBe(-EINVAL);
    }
    expect(sendDescriptor(left, new Int32Array(0), one)).toBe(-EINVAL);
    expect(sendDescriptor(left, new Int32Array(254).fill(writer), one)).toBe(-EINVAL);
    expect(sendDescriptor(left, new Uint8Array([writer]) as unknown as Int32Array, one)).toBe(
      -EINVAL,
    );
    expect(sendDescriptor(left, writer, new Uint8Array(0))).toBe(-EINVAL);
    expect(sendDescriptor(left, writer, one, 0, 0)).toBe(-EINVAL);
    expect(sendDescriptor(left, writer, one, 1, 1)).toBe(-EINVAL);
    expect(receiveDescriptor(right, new Int32Array(1), new Uint8Array(0))).toBe(-EINVAL);
    expect(receive(right, 1)).toEqual({ n: -EAGAIN, got: [] });
  });
});

/** Waits at its socket for a descriptor, and writes what it was sent into it. */
const receiver = `
  const io = await import("${library}");
  const selector = new io.PollSelector();
  selector.register(socket, io.EVENT_READ);
  selector.poll(10_000);
  const descriptors = new Int32Array(1);
  const bytes = new Uint8Array(64);
  const n = io.receiveDescriptor(socket, descriptors, bytes);
  io.write(descriptors[0], bytes, 0, n);
  io.close(descriptors[0]);`;

describe("descriptors reach", () => {
  let reader: number;
  const sendPipe = () => {
    const [end, writer] = pipeOf();
    reader = end;
    expect(sendDescriptor(left, writer, bytes("hello"))).toBe(5);
    fds.close(writer);
  };
  const expectHello = () => {
    waitFor(reader, EVENT_READ);
    expect(textOf(read(reader, room))).toBe("hello");
  };

  it("another process", async () => {
    const program = `const socket = 3; ${receiver}`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "inherit", "inherit", right],
    });
    const exited = once(child, "exit");
    fds.close(right);
    sendPipe();
    expectHello();
    expect(await exited).toEqual([0, null]);
    expect(read(reader, room)).toBe(0);
  });

  it("a worker, from a socket that it was told the number of", async () => {
    const code = `(async () => { const socket = ${right}; ${receiver} })()`;
    const worker = new Worker(code, { eval: true });
    const exited = once(worker, "exit");
    sendPipe();
    await exited;
    expectHello();
    expect(close(right)).toBe(0);
  });

  it("a worker whose end closes them", async () => {
    const program = receiver.replace("io.close(descriptors[0]);", "");
    const code = `(async () => { const socket = ${right}; ${program} })()`;
    const exited = once(new Worker(code, { eval: true }), "exit");
    sendPipe();
    await exited;
    expectHello();
    expect(read(reader, room)).toBe(0); // the end of the file: no writer is left
  });
});
