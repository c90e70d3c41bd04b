import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Each file gets a process of its own: tests open descriptors, raise signals and spawn servers.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
