import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { defineConfig } from "vitest/config";
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

/**
 * Short files that share a process, which loads vitest and the modules once. Their tests close and
 * end what they open and start, and leave the process as it was. Not a file whose helpers call
 * afterEach() when they are loaded: that would be done for the first file only.
 */
const shares = (file: string) =>
  /^test\/(?:report[\w-]*|statistics\/[\w-]+)\.test\.ts$/.test(file) || sharing.includes(file);

const sharing = [
  "advice",
  "agents-fleet",
  "agents-programs",
  "arbiter",
  "backends",
  "batch",
  "bench-budget",
  "bench-measure",
  "bench-refusals",
  "chat-groups",
  "connect-descriptor",
  "cpu-share",
  "cross-compile",
  "delivery-broadcast",
  "delivery-multicast",
  "delivery-report",
  "descriptors",
  "environment",
  "forward-fifos",
  "inotify",
  "latency-against-load",
  "lending",
  "limits",
  "linger",
  "load-generator-scripts",
  "messages",
  "micro",
  "multicast",
  "netlink",
  "other-clients",
  "progress",
  "prose",
  "regression",
  "security",
  "selector",
  "selector-table",
  "servers-processes",
  "socket",
  "stale-descriptors",
  "terminal",
  "tidy",
].map((name) => `test/${name}.test.ts`);

/** Begun first, the longest first, so that no long file is begun when all others have ended. */
const longest = [
  "regression-foreign",
  "bench-workloads",
  "peers",
  "docs",
  "package",
  "event-loop",
  "bench-commands",
  "bench-cli",
  "servers-stress",
  "browser/report",
  "worker-end",
  "regression-run",
  "promises",
  "replicated-store",
  "bench-target",
  "cpu-profile",
  "bench-faults",
  "servers-limit",
  "servers",
  "servers-prefork",
  "examples",
  "server-settings",
  "load-generator-modes",
  "soak",
  "fuzz",
  "workers",
  "arguments",
].map((name) => `test/${name}.test.ts`);

for (const file of [...alone, ...fewAtOnce, ...longest, ...sharing]) {
  if (existsSync(join(import.meta.dirname, file))) continue;
  throw new Error(`vitest.config.ts: ${file} does not exist; take it out of its list`);
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    return usual.toSorted((a, b) => this.#rank(a) - this.#rank(b));
  }

  /** The files that share come last and together: a process goes on only with a file of its project. */
  #rank({ project, moduleId }: TestSpecification): number {
    if (project.name === "shared") return longest.length + 1;
    const place = longest.indexOf(relative(import.meta.dirname, moduleId));
    return place < 0 ? longest.length : place;
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
  maxWorkers: 9,
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
const ofOthers = [...alone, ...fewAtOnce];

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...common,
          ...sideBySide,
          name: "side-by-side",
          include: files.filter((file) => !shares(file) && !ofOthers.includes(file)),
        },
      },
      {
        test: {
          ...common,
          ...sideBySide,
          name: "shared",
          include: files.filter(shares),
          isolate: false,
        },
      },
      {
        test: {
          ...common,
          name: "few-at-once",
          include: quick ? [] : fewAtOnce,
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...common,
          name: "alone",
          include: quick ? [] : alone,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
