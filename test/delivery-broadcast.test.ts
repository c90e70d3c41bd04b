// The workload `broadcast`, short, with real processes: every message to every member, byte by
// byte; and a server that loses or garbles something fails.

import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { measureBroadcast } from "../bench/delivery/broadcast/cells.ts";
import { rooms } from "../bench/delivery/broadcast/rooms.ts";

const plan = { members: 8, messages: 40, gapMs: 5, payloadBytes: 64, blocks: 1, seed: 1 };

describe.skipIf(!existsSync("/proc/self/schedstat"))("broadcast", () => {
  it("fills a cell for each server", async () => {
    const cells = await measureBroadcast(plan);
    expect(cells.map(({ contender }) => contender)).toEqual(rooms.map(({ name }) => name));
    for (const cell of cells) {
      expect([cell.status, cell.reason]).toEqual(["ok", null]);
      expect([cell.messages, cell.mismatches]).toEqual([8 * 40, 0]);
      expect(Object.keys(cell.metrics)).toHaveLength(4);
      for (const metric of Object.values(cell.metrics)) expect(metric.median).toBeGreaterThan(0);
    }
  });

  it("says what a server cannot hold, what failed, and what was not measured", async () => {
    const threads = rooms.filter(({ mostMembers }) => mostMembers !== null);
    const many = await measureBroadcast({ ...plan, servers: threads, members: 1000 });
    expect(many).toMatchObject([
      { status: "unsupported", reason: expect.stringMatching(/at most, not 1000/) },
    ]);
    const missing = { name: "no such room", mostMembers: null, start: () => 0 };
    const failed = await measureBroadcast({ ...plan, servers: [missing] });
    expect(failed).toMatchObject([
      { status: "failed", reason: expect.stringMatching(/ended/), metrics: {} },
    ]);
    const stopped = await measureBroadcast({ ...plan, signal: AbortSignal.abort() });
    expect(stopped.map(({ status }) => status)).toEqual(rooms.map(() => "inconclusive"));
  });
});
