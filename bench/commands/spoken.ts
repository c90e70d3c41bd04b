// Asks the load generator, before anything starts, whether it takes the options of a protocol.

import { UsageError } from "../command-line.ts";
import { LocalHost } from "../host/local.ts";
import type { Spoken } from "../run/protocol.ts";

/** @throws {UsageError} with what the load generator says of them. */
export async function refuseOptions({ arguments: spoken }: Spoken): Promise<void> {
  if (spoken.length === 0) return;
  const host = new LocalHost();
  const argv = [host.paths.loadGenerator, "check", "--port", "1", "--mode", "idle", ...spoken];
  const child = host.start(argv, { onLine: () => {} });
  const { code } = await child.exited;
  if (code === 2) throw new UsageError(child.stderrTail);
}
