// What is dropped comes back: selectors, waits, wakers and Reactors that were collected without
// having been closed. Each backend in a process of its own, so that a crash is seen as one.

import { describe, expect, it } from "vitest";
import { selectorClasses } from "./conformance/backends.ts";
import { runNode } from "./run-program.ts";

const STEPS = 10;
const OPERATIONS = 60;

/** Runs a program of test/lifetimes. @returns the figures on its standard output. */
async function run(program: string, ...args: string[]): Promise<unknown> {
  const path = `test/lifetimes/${program}.ts`;
  const words = ["--expose-gc", "--import", "./test/typescript.mjs", path, ...args];
  const { status, signal, stdout, stderr } = await runNode(words, 120_000);
  expect({ status, signal }, `${stdout}${stderr}`).toEqual({ status: 0, signal: null });
  return JSON.parse(stdout);
}

describe("garbage that holds descriptors", () => {
  it.concurrent.each(selectorClasses.map(([name]) => name))(
    "gives them back on %s, and crashes nothing",
    async (name) => {
      const args = [name, String(STEPS), String(OPERATIONS)];
      const { done, played, alive, before, after } = (await run("collections", ...args)) as {
        readonly done: number;
        readonly played: number;
        readonly alive: number;
        readonly before: object;
        readonly after: object;
      };
      expect({ done, played }).toEqual({ done: STEPS, played: OPERATIONS });
      expect(alive).toBe(0);
      expect(after).toEqual(before);
    },
    130_000,
  );
});
