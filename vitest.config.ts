import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { defineConfig, type TestUserConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { quickFiles } from "./test/quick-files.ts";

/** `npm test -- --quick` */
const quick = process.env["IO_SELECTORS_TESTS"] === "quick";

/** Files that fill a CPU, or that assert what a quiet machine measures: one by one, alone. */
const alone = [
  "test/agents-full.test.ts",
  "test/bench-noise.test.ts",
  "test/load-generator-truth.test.ts",
];

/** Files that mostly wait, and need most of a CPU when they do not. */
const fewAtOnce = [
  "test/agents-ssh.test.ts",
  "test/load-generator-http.test.ts",
  "test/load-generator-faults.test.ts",
  "test/load-generator-requests.test.ts",
];

/** Files that test parts of the library by themselves, which the compiled library does not export. */
const internal = [
  "test/connect-descriptor.test.ts",
  "test/connection-fuzz.test.ts",
  "test/withheld-close.test.ts",
];

/**
 * Files that get a process of their own: they use the library, with signals, loops and what a thread
 * has once, or their helpers call afterEach() when they are loaded. The others share processes, each
 * of which loads vitest and the modules once: they close and end what they open and start.
 */
const isolated = [
  "arguments",
  "chat",
  "connect",
  "connection-ends",
  "connection-handover",
  "connection-turns",
  "delivery",
  "descriptor-passing",
  "event-loop",
  "examples",
  "framing",
  "fuzz",
  "promises",
  "reactor",
  "reactor-handlers",
  "readme",
  "serve",
  "signals",
  "starved-receives",
  "streams",
  "wait",
  "worker-end",
  "workers",
].map((name) => `test/${name}.test.ts`);

/** Begun first, the longest first, so that no long file is begun when all others have ended. */
const longest = [
  "servers-stress",
  "regression-foreign",
  "regression-run",
  "event-loop",
  "bench-workloads",
  "bench-commands",
  "docs",
  "peers",
  "servers",
  "promises",
  "bench-cli",
  "bench-target",
  "examples",
  "bench-faults",
  "package",
  "browser/report",
  "replicated-store",
  "worker-end",
  "call-counts",
  "load-generator-modes",
  "servers-calls",
  "server-settings",
  "blocking-handler",
  "bench-output",
  "servers-limit",
  "workers",
  "cpu-profile",
  "micro",
  "chat",
  "servers-prefork",
  "connection-ends",
  "fuzz",
  "soak",
  "build-lock",
  "bench-hurry",
  "forward-fifos",
  "delivery-replicas",
  "load-generator",
  "agents",
  "load-generator-held",
  "wait",
  "servers-processes",
  "browser/live",
  "bench-interleaved",
  "large-write",
  "selector-table",
  "arguments",
].map((name) => `test/${name}.test.ts`);

const special = [...alone, ...fewAtOnce, ...internal, ...isolated];

for (const file of [...special, ...longest]) {
  if (existsSync(join(import.meta.dirname, file))) continue;
  throw new Error(`vitest.config.ts: ${file} does not exist; take it out of its list`);
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    return usual.toSorted((a, b) => this.#rank(a) - this.#rank(b));
  }

  #rank({ project, moduleId }: TestSpecification): number {
    const place = longest.indexOf(relative(import.meta.dirname, moduleId));
    if (place >= 0) return place;
    // Together: a process goes on only with a file of its project.
    return longest.length + (project.name === "shared" ? 1 : 0);
  }
}

const common = {
  // Each file gets a process of its own: tests open descriptors, raise signals and spawn servers.
  pool: "forks",
  // A machine may be ten times slower than ours: a test does not fail for its duration.
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // A shared CI machine may stop a process for seconds: one more attempt, which the log shows.
  retry: process.env["CI"] === undefined ? 0 : 1,
} as const;

const sideBySide = {
  // Most of a test's time is waiting for a process, a timer or a socket: more workers than CPUs.
  maxWorkers: 8,
  sequence: { groupOrder: 0 },
  // A load generator that spins would take a CPU from the other files.
  env: { IO_SELECTORS_SPIN: "0" },
} as const;

/** Those of this run. */
const files = quick
  ? quickFiles(import.meta.dirname)
  : readdirSync(join(import.meta.dirname, "test"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => join("test", name));
const among = (list: readonly string[]) => files.filter((file) => list.includes(file));

/** What was compiled of these folders: to transform it again takes up to a second per test file. */
const compiled = {
  find: /^(?:\.\.\/)+((?:src|bench|examples)\/.*)\.ts$/,
  replacement: join(import.meta.dirname, "dist", "$1.js"),
};

const project = (test: TestUserConfig, alias = [compiled]) => ({
  resolve: { alias },
  test: { ...common, server: { deps: { external: [/\/dist\//] } }, ...test },
});

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      project({ ...sideBySide, name: "isolated", include: among(isolated) }),
      project({ ...sideBySide, name: "internal", include: among(internal) }, []),
      project({
        ...sideBySide,
        name: "shared",
        include: files.filter((file) => !special.includes(file)),
        isolate: false,
      }),
      project({
        name: "few-at-once",
        include: quick ? [] : fewAtOnce,
        maxWorkers: 4,
        sequence: { groupOrder: 1 },
      }),
      project({
        name: "alone",
        include: quick ? [] : alone,
        maxWorkers: 1,
        sequence: { groupOrder: 2 },
      }),
    ],
  },
});
