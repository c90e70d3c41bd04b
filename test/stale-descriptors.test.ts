// What a descriptor leaves behind that was closed without unregister while a duplicate of it lives:
// epoll(7), Q6. The fuzz test found each of these; here they are on every backend.

import { closeSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  close,
  dup,
  EVENT_READ,
  EVENT_WRITE,
  FLAG_ERROR,
  type Selector,
  socketPair,
  write,
} from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

/** More waits than an epoll set bears with stale entries in it before it is rebuilt. */
const MANY = 200;

describe.each(selectorClasses)("a stale descriptor on %s", (_name, make) => {
  let selector: Selector<string>;
  let open: Set<number>;

  beforeEach(() => {
    selector = make<string>();
    open = new Set();
  });
  afterEach(() => {
    selector.close();
    for (const fd of open) close(fd);
  });

  function pair(): [number, number] {
    const ends = socketPair();
    for (const fd of ends) open.add(fd);
    return ends;
  }

  /** Another number for `fd`, which is closed without the selector's knowledge. */
  function moveAway(fd: number): number {
    const copy = dup(fd);
    open.add(copy);
    open.delete(fd);
    closeSync(fd);
    return copy;
  }

  /** Gives the number, which is the lowest free one, to a duplicate of `fd`. */
  function reuse(number: number, fd: number): void {
    expect(dup(fd)).toBe(number);
    open.add(number);
  }

  it("is reported once with FLAG_ERROR, or never, after this package's close()", () => {
    const [a, peer] = pair();
    open.add(dup(a));
    selector.register(a, EVENT_READ);
    write(peer, new Uint8Array(1));
    open.delete(a);
    close(a);
    const flags: number[] = [];
    for (let i = 0; i < 3; i++) {
      const count = selector.poll(0);
      for (let at = 0; at < count; at++) flags.push(selector.readyFlags(at));
    }
    expect([[], [FLAG_ERROR]]).toContainEqual(flags);
    expect(selector.unregister(a).fd).toBe(a);
  });

  it("does not report as the number's new owner after modify", () => {
    const [a, peer] = pair();
    const [other] = pair();
    selector.register(a, EVENT_READ);
    moveAway(a);
    reuse(a, other);
    selector.modify(a, EVENT_READ, "new");
    write(peer, new Uint8Array(1));
    expect(selector.select(0)).toEqual([]);
  });

  it("does not report as the number's new owner where modify meets an older trace", () => {
    const [a, peer] = pair();
    const [b] = pair();
    selector.register(a, EVENT_READ);
    const copy = moveAway(a);
    selector.unregister(a);
    reuse(a, b);
    selector.register(a, EVENT_WRITE, "second");
    moveAway(a);
    reuse(a, copy);
    const key = selector.modify(a, BOTH, "third");
    write(peer, new Uint8Array(1));
    expect(selector.select(0)).toEqual([{ key, events: BOTH }]);
    expect(selector.poll(0)).toBe(1);
  });

  it("does not arm a oneshot again", ({ skip }) => {
    skip(!selector.capabilities.oneshot, "has no oneshot mode");
    const [once] = pair();
    selector.register(once, EVENT_WRITE, "once", { mode: "oneshot" });
    expect(selector.select(0)).toHaveLength(1);
    const [a] = pair();
    selector.register(a, EVENT_WRITE);
    moveAway(a);
    selector.unregister(a);
    for (let i = 0; i < MANY; i++) expect(selector.select(0)).toEqual([]);
    const key = selector.modify(once, EVENT_WRITE, "again");
    expect(selector.select(0)).toEqual([{ key, events: EVENT_WRITE }]);
  });

  it("does not keep its number from being registered or modified", ({ skip }) => {
    skip(!selector.capabilities.exclusive, "registers nothing exclusively");
    const [a] = pair();
    selector.register(a, EVENT_WRITE, "old", { exclusive: true });
    const copy = moveAway(a);
    selector.unregister(a);
    reuse(a, copy);
    const key = selector.register(a, EVENT_WRITE, "new", { exclusive: true });
    expect(selector.select(0)).toEqual([{ key, events: EVENT_WRITE }]);
    moveAway(a);
    selector.unregister(a);
    const [b] = pair(); // has its number now
    expect(b).toBe(a);
    selector.register(b, EVENT_READ, "level");
    moveAway(b);
    reuse(a, copy);
    const modified = selector.modify(a, EVENT_WRITE, "again");
    expect(selector.select(0)).toEqual([{ key: modified, events: EVENT_WRITE }]);
  });
});
