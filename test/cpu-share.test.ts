// The group that gives servers a part of one CPU: what runs in it gets about that part beside the
// program that uses up the rest, and nothing is left of either.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { LocalHost } from "../bench/host/local.ts";

const host = new LocalHost();
const probe = host.cpuShare(0.5);
probe?.remove();
afterAll(() => host.killAll());

/** Two processes that never wait, for a second of wall-clock time. @returns their CPU seconds. */
async function cpuSeconds(group: string, cpu: number): Promise<number> {
  const burn = "timeout 1 sh -c 'while :; do :; done'";
  const lines: string[] = [];
  const child = host.start(["sh", "-c", `${burn} & ${burn}; wait; times`], {
    launch: { cpu, group },
    onLine: (line) => lines.push(line),
  });
  expect(await child.exited).toMatchObject({ code: 0 });
  // The second line has the children's user and system time: "0m0.210s 0m0.010s".
  return [...(lines[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)]
    .map(([, minutes, seconds]) => 60 * Number(minutes) + Number(seconds))
    .reduce((sum, seconds) => sum + seconds, 0);
}

describe.skipIf(probe === null)("a part of a CPU", () => {
  it("is all that a process and its children get while the rest is used up", async () => {
    const share = host.cpuShare(0.25);
    if (share === null) throw new Error("no group");
    const { server } = await host.cpus();
    share.hold(server);
    share.hold(server);
    share.release();
    const used = await cpuSeconds(share.path, server ?? 0);
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThan(0.5);
    share.release();
    host.killAll();
    await host.allEnded(5_000);
    share.remove();
    share.remove();
    expect(existsSync(share.path)).toBe(false);
    expect(existsSync(`${share.path}-rest`)).toBe(false);
  });

  it("is removed by a later run if its own was killed", () => {
    const folder = dirname(probe?.path ?? "");
    // The id of a process that has ended.
    const { pid } = spawnSync("true");
    const leftover = join(folder, `io-selectors-${pid}-0-rest`);
    mkdirSync(leftover);
    host.cpuShare(0.5)?.remove();
    expect(existsSync(leftover)).toBe(false);
  });
});
