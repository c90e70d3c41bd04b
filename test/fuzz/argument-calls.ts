// The fuzz test of arguments, run as a process of its own: a crash is reported with the last call.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("arguments.mjs", import.meta.url));

export interface CallFigures {
  readonly seed: number;
  readonly calls: number;
  readonly returned: number;
  readonly threw: number;
  /** Calls with one argument of a wrong type: each possible one at least once. */
  readonly wrongTypes: number;
  /** How often each export was called, or constructed and its instance used. */
  readonly exports: Readonly<Record<string, number>>;
}

/**
 * Blocks this thread. Calls the compiled library.
 * @throws {Error} where the process crashed, hung for ten minutes, or met what is no Error.
 */
export function callAtRandom(seed: number, calls: number): CallFigures {
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-arguments-"));
  try {
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      [PROGRAM, String(seed), String(calls)],
      { cwd: folder, encoding: "utf8", timeout: 600_000 },
    );
    if (status === 0) return JSON.parse(stdout) as CallFigures;
    const last = readFileSync(join(folder, "last-call"), "utf8").trim();
    const again = `npm run test:fuzz -- --seed ${seed} --operations 0 --calls ${calls}`;
    const how = signal ?? `exit code ${status}`;
    throw new Error(`${how} after the call of ${last}\n${stderr}\nagain: ${again}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
