// Commands such as git, and builds, to their end.

import { within } from "../host/deadline.ts";
import { describeExit, endedWithinMs, type Host } from "../host/host.ts";

export interface ToolContext {
  readonly host: Host;
  readonly signal: AbortSignal;
}

type ToolOutput =
  | { readonly lines: readonly string[]; readonly failure: null }
  | { readonly lines: readonly string[]; readonly failure: string };

const usualTimeoutMs = 60_000;
/** From SIGTERM to SIGKILL. */
const endTimeoutMs = 5_000;

/** @throws {Interrupted} */
export async function runTool(
  argv: readonly string[],
  { host, signal }: ToolContext,
  { timeoutMs = usualTimeoutMs, supervised = false } = {},
): Promise<ToolOutput> {
  const lines: string[] = [];
  const child = host.start(argv, { onLine: (line) => lines.push(line), supervised });
  try {
    const exit = await within(child.exited, { timeoutMs, signal });
    if (exit?.code === 0) return { lines, failure: null };
    const end = exit === null ? `did not end within ${timeoutMs / 1000} s` : describeExit(exit);
    return { lines, failure: child.stderrTail === "" ? end : `${end}: ${child.stderrTail}` };
  } finally {
    child.kill("SIGTERM");
    await within(child.exited, { timeoutMs: endTimeoutMs });
    child.kill("SIGKILL");
    await within(child.exited, { timeoutMs: endedWithinMs });
  }
}

/** A first build compiles everything and may fetch dependencies. */
const buildTimeoutMs = 900_000;

/**
 * A build, and the end of all that it leaves running. Compilers print errors on either stream.
 * @returns why it failed, with the end of its output; null if it did not. @throws {Interrupted}
 */
export async function runBuild(
  argv: readonly string[],
  context: ToolContext,
): Promise<string | null> {
  const joined = ["/bin/sh", "-c", 'exec "$@" >&2', "sh", ...argv];
  return (await runTool(joined, context, { timeoutMs: buildTimeoutMs, supervised: true })).failure;
}
