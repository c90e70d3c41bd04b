// Command lines of the benchmark that end before anything is measured, such as those with --help
// and those that are refused. All of them run in one process: a process per line takes five times
// as long.

import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const program = fileURLToPath(new URL("programs/read-options.mjs", import.meta.url));

export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param cwd where they run, or where each of them runs; where the tests run unless given.
 * @param cli another program than the benchmark's, in TypeScript, from the root of the package.
 * @returns what each of them printed and its exit code, in their order.
 * @throws {Error} if one of them ends the process.
 */
export async function commandLines(
  lines: readonly (readonly string[])[],
  cwd: string | readonly string[] = process.cwd(),
  cli?: string,
): Promise<readonly Said[]> {
  const folders = typeof cwd === "string" ? lines.map(() => cwd) : cwd;
  const words = [program, JSON.stringify(lines), JSON.stringify(folders)];
  const loaded = cli === undefined ? words : ["--import", "./test/typescript.mjs", ...words, cli];
  const child = spawn(process.execPath, loaded, {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const pipes = child.stdio.slice(1) as Readable[];
  const [stdout, stderr, outcomes = ""] = await Promise.all(pipes.map((pipe) => text(pipe)));
  if (outcomes === "") throw new Error(`read-options.mjs ended: ${stdout}${stderr}`);
  return JSON.parse(outcomes);
}

/** Each line ends with 2 and what it is refused with on standard error. @param cli as above */
export async function expectRefused(
  refusals: readonly (readonly [line: readonly string[], message: RegExp])[],
  cli: string,
): Promise<void> {
  const said = await commandLines(
    refusals.map(([line]) => line),
    undefined,
    cli,
  );
  for (const [index, [line, message]] of refusals.entries()) {
    expect(said[index]?.stderr).toMatch(message);
    expect(said[index], line.join(" ")).toMatchObject({ status: 2, stdout: "" });
  }
}
