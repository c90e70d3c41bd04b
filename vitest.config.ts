import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Each file gets a process of its own: tests open descriptors, raise signals and spawn servers.
    pool: "forks",
    // A machine may be ten times slower than ours: time is no verdict.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
