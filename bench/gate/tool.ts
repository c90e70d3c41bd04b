// Short-lived commands such as git, to their end.

import { within } from "../host/deadline.ts";
import { describeExit, type Host } from "../host/host.ts";

export interface ToolContext {
  readonly host: Host;
  readonly signal: AbortSignal;
}

type ToolOutput =
  | { readonly lines: readonly string[]; readonly failure: null }
  | { readonly lines: readonly string[]; readonly failure: string };

const usualTimeoutMs = 60_000;
const endTimeoutMs = 7_000;

/** @throws {Interrupted} */
export async function runTool(
  argv: readonly string[],
  { host, signal }: ToolContext,
  timeoutMs = usualTimeoutMs,
): Promise<ToolOutput> {
  const lines: string[] = [];
  const child = host.start(argv, { onLine: (line) => lines.push(line) });
  try {
    const exit = await within(child.exited, { timeoutMs, signal });
    if (exit?.code === 0) return { lines, failure: null };
    const end = exit === null ? `did not end within ${timeoutMs / 1000} s` : describeExit(exit);
    return { lines, failure: child.stderrTail === "" ? end : `${end}: ${child.stderrTail}` };
  } finally {
    // Not SIGKILL: timeout(1), which is around builds, ends its whole group if it is let.
    child.kill("SIGTERM");
    await within(child.exited, { timeoutMs: endTimeoutMs });
  }
}
