// Child processes of the sanitizers' run: started with a bound on their time, ended with us.

import { spawn } from "node:child_process";
import { constants } from "node:os";

const children = new Set();

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    for (const child of children) endGroup(child);
    process.exit(128 + constants.signals[signal]);
  });
}

/** Ends a child and all that it has started: each is the leader of a process group of its own. */
function endGroup(child) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // ESRCH: all of them have ended.
  }
}

/**
 * Starts a program that is killed after `timeoutMs`.
 * @returns its child process, the text printed so far by stream, and a promise of its exit code
 */
export function start([file, ...args], { env, cwd, timeoutMs, onOutput = () => {} }) {
  const child = spawn(file, args, { env, cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) {
    child[stream].setEncoding("utf8");
    child[stream].on("data", (text) => {
      printed[stream] += text;
      onOutput(stream, printed[stream]);
    });
  }
  const timer = setTimeout(() => endGroup(child), timeoutMs);
  const ended = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      endGroup(child);
      children.delete(child);
      resolve(code ?? `killed by ${signal}`);
    });
  });
  return { child, printed, ended };
}

/** Runs it to its end. */
export async function run(command, options) {
  const { printed, ended } = start(command, options);
  const code = await ended;
  return { code, ...printed };
}

/** Waits for `condition` to hold. @returns false if it did not within `timeoutMs`. */
export async function eventually(condition, timeoutMs) {
  const end = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}
