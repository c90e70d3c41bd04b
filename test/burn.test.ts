// The planted cost of the gate on any server: `load-generator burn` uses up its share of what a
// command uses, and no more than that beside one that uses little.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { childrenOf, killAll } from "./bench-processes.ts";
import { eventually } from "./eventually.ts";

const children = new Set<ChildProcess>();

afterEach(() => killAll(children));

function burn(percent: number, command: string) {
  const words = ["burn", "--percent", String(percent), "--", "/bin/sh", "-c", command];
  const child = spawn(packagePaths().loadGenerator, words, { stdio: "ignore" });
  children.add(child);
  const { pid } = child;
  if (pid === undefined) throw new Error("burn did not start");
  return { pid, ended: once(child, "exit") };
}

/** User and system time, in ticks of 10 ms. proc_pid_stat(5) */
function ticksOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

const read = (path: string) => {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // it has ended
  }
};

describe.runIf(process.platform === "linux")("burn", () => {
  it("uses up its share of what the command has used", async () => {
    const { pid } = burn(200, "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; exec sleep 60");
    const command = await eventually(() => {
      const [found = 0] = childrenOf(pid);
      expect(read(`/proc/${found}/comm`)).toBe("sleep\n"); // the loop is over
      return found;
    });
    const used = ticksOf(command);
    expect(used).toBeGreaterThan(5);
    await eventually(() => expect(ticksOf(pid)).toBeGreaterThanOrEqual(2 * (used - 2)));
  });

  it("looks less often beside a command that uses little, as looks are burnt, too", async () => {
    const { pid, ended } = burn(10, "exec sleep 1.5");
    let looks = 0;
    const sampling = setInterval(() => {
      const [, found] =
        /^voluntary_ctxt_switches:\s+(\d+)/m.exec(read(`/proc/${pid}/status`)) ?? [];
      looks = Number(found ?? looks);
    }, 50);
    await ended;
    clearInterval(sampling);
    expect(looks).toBeGreaterThan(0);
    expect(looks).toBeLessThan(60); // 150, if it looked every 10 ms
  });
});
