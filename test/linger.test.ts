// SO_LINGER: with 0 seconds a close resets the connection; without, the peer reads to the end.
// socket(7)

import { afterEach, beforeEach, expect, it } from "vitest";
import {
  EBADF,
  ECONNRESET,
  EINVAL,
  EVENT_READ,
  getLinger,
  recv,
  send,
  setLinger,
} from "../src/index.ts";
import { Descriptors, waitFor } from "./conformance/socket-pair.ts";

let fds: Descriptors;

beforeEach(() => {
  fds = new Descriptors();
});
afterEach(() => fds.closeAll());

/** What the peer receives of one byte and then of the close. */
function closed(seconds: number | null): number[] {
  const [fd, peer] = fds.pair();
  expect(setLinger(fd, seconds)).toBe(0);
  send(fd, new Uint8Array([7]));
  waitFor(peer, EVENT_READ);
  fds.close(fd);
  waitFor(peer, EVENT_READ);
  const bytes = new Uint8Array(4);
  return [recv(peer, bytes), recv(peer, bytes)];
}

it("resets the connection on close with 0, and the peer reads to the end without", () => {
  expect(closed(null)).toEqual([1, 0]);
  expect(closed(0)).toContain(-ECONNRESET);
});

it("answers what was set, and null while it is off", () => {
  const [fd] = fds.pair();
  expect(getLinger(fd)).toBeNull();
  for (const seconds of [0, 1, 60, null, 5]) {
    expect(setLinger(fd, seconds)).toBe(0);
    expect(getLinger(fd)).toBe(seconds);
  }
});

it("answers -errno to what makes no sense, and changes nothing", () => {
  const [fd] = fds.pair();
  setLinger(fd, 3);
  for (const wrong of [-1, 1.5, Number.NaN, 2 ** 31, "1", undefined, {}, Symbol("seconds")]) {
    expect(setLinger(fd, wrong as number)).toBe(-EINVAL);
  }
  expect(getLinger(fd)).toBe(3);
  expect(setLinger(1_000_000, 0)).toBe(-EBADF);
  expect(getLinger(1_000_000)).toBe(-EBADF);
  setLinger(fd, null);
});
