// Garbage for every export, in a process of its own, so that a crash is seen as one; and the
// garbage that once was enough for a crash.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVENT_READ, EVENT_WRITE, SelectSelector, socketPair } from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";
import { Descriptors } from "./conformance/socket-pair.ts";

const program = resolve("test/fuzz/arguments.mjs");
const calls = Number(process.env["CALLS"] ?? 20_000);
const seeds = [Number(process.env["SEED"] ?? 1), Date.now() % 2 ** 31];

describe("random arguments", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "io-selectors-arguments-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it.each(seeds)(
    "are refused, and crash nothing: seed %i",
    (seed) => {
      const { status, signal, stdout, stderr } = spawnSync(
        process.execPath,
        [program, String(seed), String(calls)],
        { cwd: folder, encoding: "utf8", timeout: 120_000 },
      );
      const last = () => readFileSync(join(folder, "last-call"), "utf8").trim();
      expect({ status, signal }, `${last()}\n${stderr}`).toEqual({ status: 0, signal: null });
      expect(JSON.parse(stdout)).toMatchObject({ seed: Number(seed), calls });
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
