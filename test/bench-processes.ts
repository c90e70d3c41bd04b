// Which processes are alive: for tests that must leave none behind. proc_pid_stat(5), kill(2)

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive } from "../bench/host/processes.ts";

/** The processes whose parent is this one. Linux only. */
export function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

/** Waits until none of them lives. @returns those that still do when the time is over. */
export async function survivors(pids: readonly number[], withinMs: number): Promise<number[]> {
  const end = Date.now() + withinMs;
  let alive = pids.filter(isAlive);
  while (alive.length > 0 && Date.now() < end) {
    await delay(50);
    alive = alive.filter(isAlive);
  }
  return alive;
}

/** For afterEach(): kills what still runs of them, and waits for its end. */
export async function killAll(children: Set<ChildProcess>): Promise<void> {
  const left = [...children].filter(
    ({ pid, exitCode, signalCode }) => pid !== undefined && (exitCode ?? signalCode) === null,
  );
  children.clear();
  const ends = left.map((child) => once(child, "exit"));
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(ends);
}

/** kill(2) of one process. @throws {Error} without one: 0 would be all of our group */
export function killProcess(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined || !(pid > 0)) throw new Error(`${signal}: there is no process to kill`);
  process.kill(pid, signal);
}

function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1] ?? 0);
}

/** The fields after the command's name, which may hold anything: state, parent, … */
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}
