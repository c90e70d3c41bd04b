// Runs a program to its end without blocking, so that tests of several programs can run side by
// side: spawnSync() would block the thread that all of a file's tests share.

import { execFile } from "node:child_process";

export interface Ended {
  /** Null if a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Node with these arguments, in this package's root. It is killed after `timeoutMs`. */
export function runNode(args: readonly string[], timeoutMs: number): Promise<Ended> {
  const options = { encoding: "utf8", timeout: timeoutMs, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, options, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}
