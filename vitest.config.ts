import { defineConfig } from "vitest/config";
import { quickFiles } from "./test/quick-files.ts";

/** `npm test -- --quick` */
const quick = process.env["IO_SELECTORS_TESTS"] === "quick";

/** Files that fill a CPU, or that assert what a quiet machine measures: one by one, alone. */
const alone = [
  "test/agents-full.test.ts",
  "test/agents-ssh.test.ts",
  "test/bench-noise.test.ts",
  "test/load-generator-protocols.test.ts",
  "test/load-generator-truth.test.ts",
  "test/servers-calls.test.ts",
];

const common = {
  // Each file gets a process of its own: tests open descriptors, raise signals and spawn servers.
  pool: "forks",
  // A machine may be ten times slower than ours: a test does not fail for its duration.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // A shared CI machine may stop a process for seconds: one more attempt, which the log shows.
  retry: process.env["CI"] === undefined ? 0 : 1,
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: "side-by-side",
          include: quick ? quickFiles(import.meta.dirname) : ["test/**/*.test.ts"],
          exclude: alone,
          // Most of a test's time is waiting for a process, a timer or a socket: more workers than CPUs.
          maxWorkers: 6,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "alone",
          include: quick ? [] : alone,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
