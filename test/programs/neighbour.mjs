// A program that takes a share of one CPU, as another user of a machine would.

import { spawn } from "node:child_process";

/** In slices of 10 ms, until it is killed or this process is gone. */
export function startNeighbour(percent, cpu) {
  const loop =
    `const idle = new Int32Array(new SharedArrayBuffer(4));` +
    `while (process.ppid === ${process.pid}) { const end = performance.now() + ${percent / 10};` +
    ` while (performance.now() < end); Atomics.wait(idle, 0, 0, ${10 - percent / 10}); }`;
  const argv = [process.execPath, "-e", loop];
  const pinned = cpu === null ? argv : ["taskset", "-c", String(cpu), ...argv];
  const child = spawn(pinned[0], pinned.slice(1), { stdio: "ignore" });
  child.unref(); // it keeps no program alive
  return { kill: () => child.kill("SIGKILL") };
}
