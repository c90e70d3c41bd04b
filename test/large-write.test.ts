// One write of 256 MiB: it costs one copy of what the system has not taken, and gives that back.

import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { engines } from "./connections/engines.ts";

const BYTES = 2 ** 28;
/** The bytes that are queued, in MiB, and what Node itself grows by: less than another copy. */
const MOST_MIB = 256 + 150;
const LEFT_MIB = 150;

/** Over the backend that a program gets, and over completions. */
const ways = engines.filter(([name]) => /epoll|kqueue|^io_uring$/.test(name));

it.each(ways)(
  "over %s",
  (_name, way) => {
    const program = ["--expose-gc", "test/programs/large-write.mjs", JSON.stringify(way)];
    const { stdout, stderr } = spawnSync(process.execPath, program, {
      encoding: "utf8",
      timeout: 120_000,
    });
    expect(stderr).toBe("");
    const { mostMiB, leftMiB, queued, ...result } = JSON.parse(stdout);
    expect(result).toEqual({ accepted: false, received: BYTES, wrong: 0, closes: 1, error: "" });
    expect(queued).toBeGreaterThan(BYTES / 2);
    expect(mostMiB).toBeLessThan(MOST_MIB);
    expect(leftMiB).toBeLessThan(LEFT_MIB);
  },
  130_000,
);
