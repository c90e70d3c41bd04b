// recv and send from one buffer, repeatedly: the state that native code keeps of it must have the
// same effect as reading it again.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { close, EAGAIN, EINVAL, recv, send, socketPair } from "../src/index.ts";

let left = -1;
let right = -1;

beforeEach(() => {
  [left, right] = socketPair("stream");
});

afterEach(() => {
  close(left);
  close(right);
});

/** Used twice in a row, and once more so that it is in use as such. */
function lend(bytes: Uint8Array): void {
  for (let i = 0; i < 3; i++) {
    expect(send(left, bytes)).toBe(bytes.length);
    expect(recv(right, bytes)).toBe(bytes.length);
  }
}

describe("what is no buffer", () => {
  it.each([null, undefined, 7, "x", {}, new Float64Array(1)])("is refused: %s", (value) => {
    const bytes = value as unknown as Uint8Array;
    // Nothing is lent now, whatever was lent before.
    for (const part of [64 << 10, (64 << 10) + 1]) {
      const large = new Uint8Array(part);
      for (let i = 0; i < 3; i++) recv(right, large);
      expect(recv(right, bytes)).toBe(-EINVAL);
      expect(send(left, bytes)).toBe(-EINVAL);
    }
  });
});

describe("a buffer that is used again and again", () => {
  it("is sent and filled as it is now, in whichever part", () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i);
    lend(bytes);
    bytes[5] = 99;
    expect(send(left, bytes, 4, 3)).toBe(3);
    const room = new Uint8Array(8);
    expect(recv(right, room)).toBe(3);
    expect([...room.subarray(0, 3)]).toEqual([4, 99, 6]);
    expect(send(left, bytes, 30)).toBe(2);
    expect(recv(right, bytes, 10, 1)).toBe(1);
    expect(recv(right, bytes, 31)).toBe(1);
    expect([bytes[10], bytes[31]]).toEqual([30, 31]);
    expect(recv(right, bytes)).toBe(-EAGAIN);
  });

  it("may take turns with others, and be a part of one", () => {
    const whole = new Uint8Array(64).fill(7);
    const part = whole.subarray(16, 32);
    const other = new Uint8Array(16).fill(9);
    for (let i = 0; i < 4; i++) {
      for (const bytes of [part, part, other, whole]) {
        expect(send(left, bytes)).toBe(bytes.length);
        const got = new Uint8Array(128);
        expect(recv(right, got)).toBe(bytes.length);
        expect(got[0]).toBe(bytes[0]);
      }
    }
  });

  it.each([
    [-1, 1],
    [0, 33],
    [33, 0],
    [31, 2],
    [0.5, 1],
    [0, Number.NaN],
    [2 ** 32, 1],
    [0, 2 ** 31],
  ])("is not reached beyond: offset %d, length %d", (offset, length) => {
    const bytes = new Uint8Array(32);
    lend(bytes);
    expect(send(left, bytes, offset, length)).toBe(-EINVAL);
    expect(recv(right, bytes, offset, length)).toBe(-EINVAL);
  });

  it("is for descriptors only", () => {
    const bytes = new Uint8Array(32);
    lend(bytes);
    for (const fd of [Number.NaN, 0.5, 2 ** 32, "0", null, {}, Symbol("fd"), 0n]) {
      expect(send(fd as number, bytes)).toBe(-EINVAL);
      expect(recv(fd as number, bytes)).toBe(-EINVAL);
    }
  });

  it("is gone once it is detached", () => {
    const bytes = new Uint8Array(new ArrayBuffer(32));
    lend(bytes);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(send(left, bytes, 0, 8)).toBe(-EINVAL);
    expect(recv(right, bytes, 0, 8)).toBe(-EINVAL);
  });

  it("is gone once it is detached, whatever it says itself", () => {
    const bytes = new Uint8Array(new ArrayBuffer(32));
    lend(bytes);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
    const honest = Object.getOwnPropertyDescriptor(typedArray, "length") as PropertyDescriptor;
    Object.defineProperty(typedArray, "length", { ...honest, get: () => 32 });
    try {
      expect(send(left, bytes, 0, 8)).toBe(-EINVAL);
      expect(recv(right, bytes, 0, 8)).toBe(-EINVAL);
    } finally {
      Object.defineProperty(typedArray, "length", honest);
    }
  });

  it.each(["length", "buffer"])("never throws, although a caller's own %s does", (name) => {
    const bytes = new Uint8Array(32);
    const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
    const honest = Object.getOwnPropertyDescriptor(typedArray, name) as PropertyDescriptor;
    const get = () => {
      throw new Error(`no ${name}`);
    };
    const answers: number[] = [];
    Object.defineProperty(typedArray, name, { ...honest, get });
    try {
      for (let i = 0; i < 3; i++) answers.push(send(left, bytes, 0, 8), recv(right, bytes, 0, 8));
    } finally {
      Object.defineProperty(typedArray, name, honest);
    }
    expect(answers).toEqual([8, 8, 8, 8, 8, 8]);
  });

  it("follows a buffer that is resized", () => {
    const buffer = new ArrayBuffer(32, { maxByteLength: 64 } as object);
    const bytes = new Uint8Array(buffer);
    lend(bytes);
    (buffer as unknown as { resize: (length: number) => void }).resize(8);
    expect(send(left, bytes, 0, 9)).toBe(-EINVAL);
    expect(send(left, bytes)).toBe(8);
    (buffer as unknown as { resize: (length: number) => void }).resize(64);
    expect(recv(right, bytes)).toBe(8);
    expect(send(left, bytes)).toBe(64);
  });

  it("need not be one", () => {
    const not = Object.setPrototypeOf(new DataView(new ArrayBuffer(8)), Uint8Array.prototype);
    for (let i = 0; i < 3; i++) {
      expect(send(left, not)).toBe(-EINVAL);
      expect(send(left, new Uint16Array(4) as unknown as Uint8Array)).toBe(-EINVAL);
      expect(recv(right, Object.create(Uint8Array.prototype))).toBe(-EINVAL);
    }
  });
});
