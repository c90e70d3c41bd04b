// Random sequences against the model, the same on every backend that works here. The seeds are
// fixed, so that what passed once passes again; `npm run test:fuzz` tries others.

import { describe, expect, it } from "vitest";
import { PollSelector } from "../src/index.ts";
import { expectRefused } from "./command-lines.ts";
import { selectorClasses } from "./conformance/backends.ts";
import { type Backend, hunt } from "./fuzz/hunt.ts";
import { runNode } from "./run-program.ts";

const OPERATIONS = 10_000;

describe("every backend does what the model does", () => {
  it.each([1, 20261121])(
    `in ${OPERATIONS} operations of seed %i`,
    (seed) => {
      const last = [...hunt(selectorClasses, seed, OPERATIONS)].at(-1);
      expect(last?.operations).toBe(OPERATIONS);
      const pairs = (selectorClasses.length * (selectorClasses.length - 1)) / 2;
      expect(last?.compared).toBeGreaterThanOrEqual(pairs * OPERATIONS);
    },
    300_000,
  );
});

describe("a fault", () => {
  /** Forgets that what a wait brought has been unregistered, as a batch of old events would. */
  class StaleSelector<T> extends PollSelector<T> {
    #keys: ReturnType<PollSelector<T>["readyKey"]>[] = [];
    override poll(timeoutMs?: number | null): number {
      const count = super.poll(timeoutMs);
      this.#keys = Array.from({ length: count }, (_, i) => super.readyKey(i));
      return count;
    }
    override readyKey(i: number) {
      return this.#keys[i];
    }
  }

  it("is found, cut down to the operations that matter, and can be seen again", () => {
    const faulty: Backend = ["poll", <T>() => new StaleSelector<T>()];
    let message = "";
    try {
      [...hunt([faulty], 7, 10_000)];
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/the key of event \d+ \(fd \d+\) since is \d+; the model says/);
    expect(message).toMatch(/cut down to \d operations/);
    expect(message).toMatch(/again: npm run test:fuzz -- --seed 7 --operations \d+ --calls 0/);
  });
});

describe("the program", () => {
  async function run(...args: string[]): Promise<{ status: number | null; output: string }> {
    const program = ["--import", "./test/typescript.mjs", "test/fuzz/cli.ts"];
    const { status, stdout, stderr } = await runNode([...program, ...args], 60_000);
    return { status, output: `${stdout}${stderr}` };
  }

  it.concurrent("says its seed first, then its figures", async () => {
    const counts = ["--operations", "1500", "--calls", "300", "--connections", "2000"];
    const { status, output } = await run("--seed", "5", ...counts);
    expect(output).toMatch(/^fuzz: seed 5; /);
    expect(output).toContain("1,500 operations on each of");
    expect(output).toMatch(/300 calls of \d+ exports/);
    expect(output).toMatch(/2,00\d operations on \d+ connections by \d engines/);
    expect(status).toBe(0);
  });

  const refusals = [
    [["--seed", "x"], /--seed: "x" is not a whole number/],
    [
      ["--operation", "5"],
      /options: --seed --operations --calls --connections --engine --backend --help/,
    ],
    [["--backend", "epol"], /--backend: "epol" is not one of: /],
  ] as const;

  it.concurrent("refuses wrong options", async () => {
    await expectRefused(refusals, "test/fuzz/cli.ts");
  });
});
