// The soak test in small, and its verdicts: what grows is said to grow. Each run is a process of
// its own; `npm run test:soak` is the long one.

import { describe, expect, it } from "vitest";
import { expectRefused } from "./command-lines.ts";
import { judge } from "./lifetimes/flatness.ts";
import { runNode } from "./run-program.ts";

const CYCLES = 2000;
const SELECTORS = 1000;
const RELOADS = 30;

async function soak(...args: string[]): Promise<{ status: number | null; output: string }> {
  const program = ["--expose-gc", "--import", "./test/typescript.mjs", "test/soak/cli.ts"];
  const { status, stdout, stderr } = await runNode([...program, ...args], 240_000);
  return { status, output: `${stdout}${stderr}` };
}

describe("descriptors, threads and memory stay flat", () => {
  it.concurrent.each(["ts:reactor-epoll", "cpp:reactor-epoll"])(
    `over ${CYCLES} connections through %s`,
    async (server) => {
      const cycles = ["--cycles", String(CYCLES), "--servers", server];
      const { status, output } = await soak(...cycles, "--selectors", "0", "--reloads", "0");
      expect(output).toContain("soak: all flat");
      expect(output).toMatch(/flat {2}descriptors: (\d+) → \1,/);
      expect(status).toBe(0);
    },
    250_000,
  );

  it.concurrent(`over ${SELECTORS} selectors`, async () => {
    const selectors = ["--selectors", String(SELECTORS)];
    const { status, output } = await soak(...selectors, "--cycles", "0", "--reloads", "0");
    expect(output).toContain("soak: all flat");
    expect(status).toBe(0);
  }, 250_000);

  it.concurrent(`over ${RELOADS} loads and unloads of the addon`, async () => {
    const reloads = ["--reloads", String(RELOADS)];
    const { status, output } = await soak(...reloads, "--cycles", "0", "--selectors", "0");
    expect(output).toContain("soak: all flat");
    expect(status).toBe(0);
  }, 250_000);
});

describe("the command line", () => {
  const refusals = [
    [["--cycles", "x"], /--cycles: "x" is not a whole number/],
    [["--cycles", "10"], /--cycles: 0, or at least 1000/],
    [["--server", "ts:poll"], /options: --cycles --servers --selectors --reloads --help/],
    [["--servers", "poll"], /--servers: "poll" is no server/],
  ] as const;

  it.concurrent("refuses wrong options", async () => {
    await expectRefused(refusals, "test/soak/cli.ts");
  });

  it.concurrent("fails where the server is none", async () => {
    expect((await soak("--servers", "ts:nonsense", "--cycles", "1000")).status).toBe(1);
  });
});

describe("the verdict", () => {
  const bounds = { descriptors: { inAll: 0, each: 0 }, memory: { inAll: 100, each: 0.01 } };
  const samples = (held: (at: number) => Record<string, number | null>) =>
    Array.from({ length: 40 }, (_, i) => ({ at: 1000 * i, held: held(1000 * i) }));
  const flat = (held: (at: number) => Record<string, number | null>) =>
    Object.fromEntries(judge(samples(held), bounds).map((one) => [one.kind, one.flat]));

  it("is flat for what stays, jumps once, or grew in the first half only", () => {
    expect(flat(() => ({ descriptors: 9, memory: 500 }))).toEqual({
      descriptors: true,
      memory: true,
    });
    expect(flat((at) => ({ memory: Math.min(at, 15_000) }))).toEqual({ memory: true });
    expect(flat((at) => ({ memory: at === 30_000 ? 9000 : 500 }))).toEqual({ memory: true });
  });

  it("is not for one descriptor that stays, nor for memory beyond its bound", () => {
    expect(flat((at) => ({ descriptors: at < 30_000 ? 7 : 8 }))).toEqual({ descriptors: false });
    expect(flat((at) => ({ descriptors: at === 30_000 ? 8 : 7 }))).toEqual({ descriptors: true });
    expect(flat((at) => ({ memory: at * 0.009 }))).toEqual({ memory: true });
    expect(flat((at) => ({ memory: at * 0.02 }))).toEqual({ memory: false });
  });

  it("omits what is not available on the platform", () => {
    expect(flat(() => ({ descriptors: null, memory: 1 }))).toEqual({ memory: true });
  });
});
