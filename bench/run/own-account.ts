// What a server did between two moments of a round: the calls that it counts itself, and the
// context switches of servers with too many threads to read in each window. Both are read while all
// connections are open, so that accepting and closing are not included.

import type { Host } from "../host/host.ts";
import type { Switches } from "../host/usage.ts";
import type { Snapshot } from "../model/events.ts";
import type { ServerProcess } from "./server.ts";

/** Counts, or their differences; null if the server or the platform does not give them. */
export interface OwnAccount {
  readonly calls: Snapshot | null;
  readonly switches: Switches | null;
}

export class AccountTaker {
  readonly #server: ServerProcess;
  readonly #host: Host;
  #before: OwnAccount | null = null;

  constructor(server: ServerProcess, host: Host) {
    this.#server = server;
    this.#host = host;
  }

  /** @param switches whether to look into every thread, which takes up to a second. */
  async begin(switches: boolean): Promise<void> {
    this.#before = await this.#look(switches);
  }

  /** @returns what it did since begin(); null without one. @throws {Interrupted} */
  async end(): Promise<OwnAccount | null> {
    const before = this.#before;
    if (before === null) return null;
    this.#before = null;
    const after = await this.#look(before.switches !== null);
    return {
      calls: difference(after.calls, before.calls),
      switches: difference(after.switches, before.switches),
    };
  }

  async #look(switches: boolean): Promise<OwnAccount> {
    const calls = await this.#server.snapshot();
    if (!switches) return { calls, switches: null };
    return { calls, switches: (await this.#host.switches?.(this.#server.pid)) ?? null };
  }
}

/** Subtracts every number; other fields stay as they are. */
function difference<T extends object>(after: T | null, before: T | null): T | null {
  if (after === null || before === null) return null;
  const entries = Object.entries(after).map(([name, value]) => {
    const earlier: unknown = before[name as keyof T];
    return [name, typeof value === "number" ? value - (earlier as number) : value];
  });
  return Object.fromEntries(entries) as T;
}
