// Garbage for every export, in a process of its own, so that a crash is seen as one; and the
// garbage that once was enough for a crash.

import { describe, expect, it } from "vitest";
import * as library from "../src/index.ts";
import { EVENT_READ, EVENT_WRITE, SelectSelector, socketPair } from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";
import { Descriptors } from "./conformance/socket-pair.ts";
import { callAtRandom } from "./fuzz/argument-calls.ts";

/** The seeds are fixed; `npm run test:fuzz` tries others. */
const CALLS = 8_000;

describe("random arguments", () => {
  it.each([1, 20261121])(
    "are refused by every export, and crash nothing: seed %i",
    (seed) => {
      const { exports, ...figures } = callAtRandom(seed, CALLS);
      expect(figures).toMatchObject({ seed, calls: CALLS });
      expect(figures.wrongTypes).toBeGreaterThan(1000);
      const callable = Object.entries(library).filter(([, what]) => typeof what === "function");
      expect(Object.keys(exports).sort()).toEqual(callable.map(([name]) => name).sort());
    },
    150_000,
  );
});

describe.each(selectorClasses)("a number that no process opens on %s", (name, make) => {
  it.each([2 ** 31 - 1, 1e9, 2 ** 20])("is refused: %d", (fd) => {
    using selector = make();
    expect(() => selector.register(fd, EVENT_READ)).toThrow(
      expect.objectContaining({ code: name === "select" ? "ERR_INVALID_ARG_VALUE" : "EBADF" }),
    );
    expect(selector.size).toBe(0);
  });
});

describe("select with a set of any size", () => {
  it("takes memory for what is registered only", () => {
    const fds = new Descriptors();
    using selector = new SelectSelector({ fdSetSize: 2 ** 31 - 1 });
    const [a, b] = socketPair();
    for (const fd of [a, b]) fds.keep(fd);
    try {
      const key = selector.register(a, EVENT_WRITE);
      expect(selector.select(0)).toEqual([{ key, events: EVENT_WRITE }]);
      expect(() => selector.register(2 ** 31 - 2, EVENT_READ)).toThrow(
        expect.objectContaining({ code: "EBADF" }),
      );
    } finally {
      fds.closeAll();
    }
  });
});
