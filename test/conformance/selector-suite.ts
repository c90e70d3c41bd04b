// The contract of shared/design's Selector, as one suite that takes a factory and runs for every
// backend. Its cases follow CPython's test_selectors.py and what selector.ts promises.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  EVENT_READ,
  EVENT_WRITE,
  FLAG_HANGUP,
  FLAG_READ_CLOSED,
  pipe,
  recv,
  type Selector,
  send,
} from "../../src/index.ts";
import { Descriptors, fill, waitFor } from "./socket-pair.ts";

const BOTH = EVENT_READ | EVENT_WRITE;
const bytes = (text: string) => new TextEncoder().encode(text);

export function selectorSuite(name: string, make: <T>() => Selector<T>): void {
  describe(`Selector over ${name}`, () => {
    let fds: Descriptors;
    let selector: Selector<string>;

    beforeEach(() => {
      fds = new Descriptors();
      selector = make();
    });
    afterEach(() => {
      selector.close();
      fds.closeAll();
    });

    describe("register", () => {
      it("gives a frozen key with what was passed", () => {
        const [a] = fds.pair();
        const key = selector.register(a, EVENT_READ, "data");
        expect(key).toEqual({ fileobj: a, fd: a, events: EVENT_READ, data: "data" });
        expect(Object.isFrozen(key)).toBe(true);
        expect(selector.size).toBe(1);
        expect(selector.getKey(a)).toBe(key);
      });

      it("takes objects with a descriptor", () => {
        const [a] = fds.pair();
        const file = { fd: a };
        expect(selector.register(file, EVENT_READ).fileobj).toBe(file);
        expect(selector.getKey(a).fileobj).toBe(file);
      });

      it.each([
        ["events 0", 0],
        ["unknown events", 4],
        ["events out of range", 0x7fffffff],
        ["events past 32 bits", 2 ** 32 + 1],
        ["fractional events", 1.5],
        ["NaN", Number.NaN],
      ])("refuses %s", (_case, events) => {
        const [a] = fds.pair();
        expect(() => selector.register(a, events)).toThrow(
          expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
        );
        expect(selector.size).toBe(0);
      });

      it.each([
        ["a negative descriptor", -1, "ERR_INVALID_ARG_VALUE"],
        ["a number past 32 bits", 2 ** 32 + 1, "ERR_INVALID_ARG_VALUE"],
        ["a fraction", 1.5, "ERR_INVALID_ARG_VALUE"],
        ["an object with a bad one", { fd: -7 }, "ERR_INVALID_ARG_VALUE"],
        ["a string", "3", "ERR_INVALID_ARG_TYPE"],
        ["null", null, "ERR_INVALID_ARG_TYPE"],
        ["an object without one", {}, "ERR_INVALID_ARG_TYPE"],
      ])("refuses %s", (_case, file, code) => {
        expect(() => selector.register(file as number, EVENT_READ)).toThrow(
          expect.objectContaining({ code }),
        );
      });

      it("refuses a descriptor that is registered, and keeps the first registration", () => {
        const [a] = fds.pair();
        const key = selector.register(a, EVENT_READ);
        expect(() => selector.register(a, EVENT_WRITE)).toThrow(
          expect.objectContaining({ code: "ERR_SELECTOR_KEY_EXISTS" }),
        );
        expect(selector.getKey(a)).toBe(key);
        expect(selector.size).toBe(1);
      });
    });

    describe("unregister", () => {
      it("gives the key back and stops watching", () => {
        const [a, b] = fds.pair();
        const key = selector.register(a, EVENT_READ);
        expect(selector.unregister(a)).toBe(key);
        expect(selector.size).toBe(0);
        send(b, bytes("x"));
        waitFor(a, EVENT_READ);
        expect(selector.select(0)).toEqual([]);
      });

      it("refuses what is not registered", () => {
        const [a] = fds.pair();
        for (const call of ["unregister", "getKey"] as const) {
          expect(() => selector[call](a)).toThrow(
            expect.objectContaining({ code: "ERR_SELECTOR_KEY_NOT_FOUND" }),
          );
        }
        expect(() => selector.modify(a, EVENT_READ)).toThrow(
          expect.objectContaining({ code: "ERR_SELECTOR_KEY_NOT_FOUND" }),
        );
      });

      it("is silent after the descriptor was closed", () => {
        const [a, b] = fds.pair();
        selector.register(a, EVENT_READ);
        selector.register(b, EVENT_READ);
        fds.close(a);
        fds.close(b);
        selector.unregister(a);
        selector.unregister(b);
        expect(selector.size).toBe(0);
      });

      it("is silent after the number was reused, and the new owner can register", () => {
        const [a] = fds.pair();
        selector.register(a, EVENT_READ);
        fds.close(a);
        const [reused] = fds.pairReusing(a);
        selector.unregister(a);
        expect(selector.register(reused, EVENT_READ, "new").data).toBe("new");
      });
    });

    describe("modify", () => {
      it("replaces events and data with a new key", () => {
        const [a] = fds.pair();
        const key = selector.register(a, EVENT_READ, "one");
        const modified = selector.modify(a, EVENT_WRITE, "two");
        expect(modified).toEqual({ fileobj: a, fd: a, events: EVENT_WRITE, data: "two" });
        expect(key).toEqual({ fileobj: a, fd: a, events: EVENT_READ, data: "one" });
        expect(selector.getKey(a)).toBe(modified);
        expect(selector.select(0)).toEqual([{ key: modified, events: EVENT_WRITE }]);
      });

      it("overwrites the data when none is given", () => {
        const [a] = fds.pair();
        selector.register(a, EVENT_READ, "one");
        expect(selector.modify(a, EVENT_READ).data).toBeUndefined();
      });

      it("watches the new owner of a reused number", () => {
        const [a] = fds.pair();
        selector.register(a, EVENT_READ);
        fds.close(a);
        fds.pairReusing(a);
        selector.modify(a, BOTH);
        expect(selector.select(0).map((event) => event.events)).toEqual([EVENT_WRITE]);
      });

      it("refuses bad events and keeps the registration", () => {
        const [a] = fds.pair();
        const key = selector.register(a, EVENT_READ);
        for (const events of [0, 4, 2 ** 32 + 1]) {
          expect(() => selector.modify(a, events)).toThrow(
            expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
          );
        }
        for (const bad of [null, "1", undefined]) {
          const code = "ERR_INVALID_ARG_TYPE";
          expect(() => selector.modify(a, bad as unknown as number)).toThrow(
            expect.objectContaining({ code }),
          );
          expect(() => selector.modify(bad as unknown as number, EVENT_READ)).toThrow(
            expect.objectContaining({ code }),
          );
        }
        expect(selector.getKey(a)).toBe(key);
      });
    });

    describe("getMap", () => {
      it("is a live view that iterates descriptors, and null once closed", () => {
        const [a, b] = fds.pair();
        const map = selector.getMap();
        expect(map?.size).toBe(0);
        const keyA = selector.register(a, EVENT_READ);
        const keyB = selector.register(b, EVENT_WRITE);
        expect(map?.size).toBe(2);
        expect([...(map ?? [])].sort()).toEqual([a, b].sort());
        expect(map?.get(a)).toBe(keyA);
        expect(map?.has({ fd: b })).toBe(true);
        expect([...(map?.values() ?? [])]).toContain(keyB);
        selector.unregister(a);
        expect(map?.get(a)).toBeUndefined();
        selector.close();
        expect(selector.getMap()).toBeNull();
      });

      it("finds an object whose descriptor is gone", () => {
        const [a] = fds.pair();
        const file = { fd: a };
        const key = selector.register(file, EVENT_READ);
        file.fd = -1;
        expect(selector.getKey(file)).toBe(key);
        expect(selector.unregister(file)).toBe(key);
      });
    });

    describe("select", () => {
      it("reports each direction, masked by the interest", () => {
        const [a, b] = fds.pair();
        const keyA = selector.register(a, BOTH);
        const keyB = selector.register(b, EVENT_READ);
        expect(selector.select(0)).toEqual([{ key: keyA, events: EVENT_WRITE }]);
        send(a, bytes("x"));
        waitFor(b, EVENT_READ);
        const ready = selector.select(1000);
        expect(ready).toContainEqual({ key: keyB, events: EVENT_READ });
        expect(ready).toHaveLength(2);
        send(b, bytes("y"));
        waitFor(a, EVENT_READ);
        expect(selector.select(1000)).toContainEqual({ key: keyA, events: BOTH });
      });

      it("reports level-triggered: again and again until it is taken", () => {
        const [a, b] = fds.pair();
        selector.register(b, EVENT_READ);
        send(a, bytes("xy"));
        waitFor(b, EVENT_READ);
        for (let i = 0; i < 3; i++) expect(selector.select(1000)).toHaveLength(1);
        recv(b, new Uint8Array(16));
        expect(selector.select(0)).toEqual([]);
      });

      it("does not report write readiness while the peer's window is full", () => {
        const [a, b] = fds.pair();
        const key = selector.register(a, EVENT_WRITE);
        expect(fill(a)).toBeGreaterThan(0);
        expect(selector.select(0)).toEqual([]);
        const buffer = new Uint8Array(1 << 20);
        while (recv(b, buffer) > 0) {
          // until it is empty: the kernel wakes the writer past a third only
        }
        expect(selector.select(5000)).toEqual([{ key, events: EVENT_WRITE }]);
      });

      it("reports a listener with a connection waiting", () => {
        const listener = fds.listener();
        const key = selector.register(listener, EVENT_READ);
        expect(selector.select(0)).toEqual([]);
        fds.connectTo(listener);
        expect(selector.select(5000)).toEqual([{ key, events: EVENT_READ }]);
      });

      it.skipIf(name === "select")("reports that a pipe's other end is gone as a hang-up", () => {
        const [reader, writer] = pipe().map((fd) => fds.keep(fd)) as [number, number];
        selector.register(reader, EVENT_READ);
        fds.close(writer);
        expect(selector.poll(5000)).toBe(1);
        expect(selector.readyEvents(0)).toBe(EVENT_READ);
        expect(selector.readyFlags(0)).toBe(FLAG_HANGUP);
      });

      it("reports a closed peer as readable, with the truth in the flags", () => {
        const [a, b] = fds.pair();
        selector.register(a, EVENT_READ);
        fds.close(b);
        expect(selector.poll(5000)).toBe(1);
        expect(selector.readyEvents(0)).toBe(EVENT_READ);
        if (name !== "select") {
          expect(selector.readyFlags(0) & (FLAG_READ_CLOSED | FLAG_HANGUP)).not.toBe(0);
        }
        expect(recv(a, new Uint8Array(1))).toBe(0);
      });

      it("reports a descriptor closed while registered at most once, and never spins", () => {
        const [a, b] = fds.pair();
        const [c, d] = fds.pair();
        selector.register(a, EVENT_READ);
        const key = selector.register(c, EVENT_READ);
        fds.close(a);
        fds.close(b);
        send(d, bytes("x"));
        waitFor(c, EVENT_READ);
        let aboutClosed = 0;
        for (let i = 0; i < 5; i++) {
          const ready = selector.select(1000);
          aboutClosed += ready.filter((event) => event.key.fd === a).length;
        }
        expect(aboutClosed).toBeLessThanOrEqual(1);
        expect(selector.select(0)).toEqual([{ key, events: EVENT_READ }]);
      });

      it("does not hold a file open that its owner closes while registered", () => {
        const [a, b] = fds.pair();
        selector.register(a, EVENT_READ);
        expect(selector.select(0)).toEqual([]);
        fds.close(a);
        waitFor(b, EVENT_READ);
        expect(recv(b, new Uint8Array(1))).toBe(0);
      });

      it("hands out more ready descriptors than one ring holds", () => {
        const count = 300;
        const readers = Array.from({ length: count }, () => {
          const [a, b] = fds.pair();
          selector.register(a, EVENT_READ);
          send(b, bytes("x"));
          return a;
        });
        for (const reader of readers) waitFor(reader, EVENT_READ);
        const seen = new Set<number>();
        for (let i = 0; i < 20 && seen.size < count; i++) {
          for (const { key } of selector.select(1000)) {
            seen.add(key.fd);
            recv(key.fd, new Uint8Array(1));
          }
        }
        expect(seen.size).toBe(count);
      });

      it("starves no descriptor when all stay ready and the ring is full", () => {
        const count = 300;
        for (let i = 0; i < count; i++) selector.register(fds.pair()[0], EVENT_WRITE);
        const seen = new Set<number>();
        for (let i = 0; i < 20; i++) for (const { key } of selector.select(0)) seen.add(key.fd);
        expect(seen.size).toBe(count);
      });
    });

    describe("poll", () => {
      it("leaves the events in the ring", () => {
        const [a, b] = fds.pair();
        const key = selector.register(a, BOTH, "a");
        send(b, bytes("x"));
        waitFor(a, EVENT_READ);
        expect(selector.poll(1000)).toBe(1);
        expect(selector.readyKey(0)).toBe(key);
        expect(selector.readyEvents(0)).toBe(BOTH);
        expect(selector.readyFlags(0)).toBe(0);
      });

      it("does not give the key of a descriptor that was unregistered since", () => {
        const [a] = fds.pair();
        selector.register(a, EVENT_WRITE, "old");
        expect(selector.poll(1000)).toBe(1);
        selector.unregister(a);
        expect(selector.readyKey(0)).toBeUndefined();
      });

      it("does not give an old event to a descriptor registered again in the same batch", () => {
        const [a] = fds.pair();
        selector.register(a, EVENT_WRITE, "old");
        expect(selector.poll(1000)).toBe(1);
        selector.unregister(a);
        selector.register(a, EVENT_WRITE, "new");
        expect(selector.readyKey(0)).toBeUndefined();
        expect(selector.poll(1000)).toBe(1);
        expect(selector.readyKey(0)?.data).toBe("new");
      });

      it("gives the current key after modify", () => {
        const [a] = fds.pair();
        selector.register(a, EVENT_WRITE, "old");
        expect(selector.poll(1000)).toBe(1);
        const modified = selector.modify(a, BOTH, "new");
        expect(selector.readyKey(0)).toBe(modified);
      });
    });

    describe("timeouts", () => {
      it.each([
        ["0", 0],
        ["a negative one", -5],
        ["negative infinity", Number.NEGATIVE_INFINITY],
      ])("only looks with %s", (_case, timeoutMs) => {
        selector.register(fds.pair()[0], EVENT_READ);
        expect(selector.select(timeoutMs)).toEqual([]);
      });

      it.each([0.2, 1, 1.5, 20, 100])("does not return early from %d ms", (timeoutMs) => {
        selector.register(fds.pair()[0], EVENT_READ);
        const started = process.hrtime.bigint();
        expect(selector.select(timeoutMs)).toEqual([]);
        expect(Number(process.hrtime.bigint() - started) / 1e6).toBeGreaterThanOrEqual(timeoutMs);
      });

      it("waits with nothing registered", () => {
        const started = process.hrtime.bigint();
        expect(selector.select(20)).toEqual([]);
        expect(Number(process.hrtime.bigint() - started) / 1e6).toBeGreaterThanOrEqual(20);
      });

      it.each([null, undefined, Number.POSITIVE_INFINITY, 1e300])(
        "returns at once from %s when something is ready",
        (timeoutMs) => {
          selector.register(fds.pair()[0], EVENT_WRITE);
          expect(selector.select(timeoutMs)).toHaveLength(1);
        },
      );

      it("refuses NaN and what is no number", () => {
        expect(() => selector.select(Number.NaN)).toThrow(
          expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
        );
        expect(() => selector.poll("5" as unknown as number)).toThrow(
          expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }),
        );
      });
    });

    describe("close", () => {
      it("is silent twice, leaves what was registered open, refuses the rest", () => {
        const [a, b] = fds.pair();
        selector.register(a, EVENT_READ);
        selector.close();
        selector.close();
        expect(selector.closed).toBe(true);
        expect(selector.size).toBe(0);
        const closed = expect.objectContaining({ code: "ERR_SELECTOR_CLOSED" });
        expect(() => selector.register(b, EVENT_READ)).toThrow(closed);
        expect(() => selector.modify(a, EVENT_READ)).toThrow(closed);
        expect(() => selector.unregister(a)).toThrow(closed);
        expect(() => selector.getKey(a)).toThrow(closed);
        expect(() => selector.select(0)).toThrow(closed);
        expect(() => selector.poll(0)).toThrow(closed);
        expect(() => selector.fileno()).toThrow(closed);
        expect(() => selector.waker()).toThrow(closed);
        expect(() => selector.ref()).toThrow(closed);
        expect(() => selector.unref()).toThrow(closed);
        expect(selector.getMap()).toBeNull();
        expect(selector.readyKey(0)).toBeUndefined();
        expect(send(a, bytes("x"))).toBe(1);
      });

      // On Linux it is libkqueue, which closes two descriptors of a kqueue in a thread of its own.
      const closesLater = name === "kqueue" && process.platform === "linux";
      const why = closesLater ? ": libkqueue does so later" : "";
      it.skipIf(closesLater)(`closes its own descriptors${why}`, () => {
        const first = fds.listener();
        fds.close(first);
        for (let i = 0; i < 50; i++) make().close();
        const after = fds.listener();
        expect(after).toBe(first);
      });

      it("works with using", () => {
        let inner: Selector<string>;
        {
          using scoped = make<string>();
          inner = scoped;
        }
        expect(inner.closed).toBe(true);
      });
    });
  });
}
