// One round of a delivery workload: a program that starts all processes and reports on them.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "../host/deadline.ts";
import { describeEnd, describeExit, type Workbench } from "../host/host.ts";
import { type Delivered, type LoadResult, parseEvent, type Window } from "../model/events.ts";
import type { DeliveryLoad } from "../model/workloads/workload.ts";
import type { Timing } from "./profiles.ts";

/** The settings of the program, as JSON in its last argument. */
export interface DeliverySettings extends Pick<Timing, "warmupMs" | "windows" | "windowMs"> {
  /** Members, processes or readers. */
  readonly connections: number;
  readonly payloadBytes: number;
  readonly ratePerSecond: number | null;
  /** CPUs for workloads that have a server and a load; the others use all CPUs. */
  readonly serverCpu: number | null;
  readonly clientCpu: number | null;
  /** From 0: what needs measuring once only is measured in the first. */
  readonly block: number;
  /** Empty, its own, and removed afterwards. */
  readonly folder: string;
}

interface DeliveryRequest {
  readonly load: DeliveryLoad;
  readonly timing: Timing;
  readonly block: number;
}

interface DeliveryOutcome {
  readonly windows: readonly Window[];
  readonly delivered: Delivered | null;
  readonly result: LoadResult | null;
  readonly unavailable: string | null;
  readonly failure: string | null;
}

/** Beyond what is measured: starting some processes, making room, a machine busy elsewhere. */
const marginMs = 120_000;
/** A program may play the time of its windows several times: other events, reads and writes. */
const mostPhases = 4;
/** How long killed processes may take to be gone from the folder. */
const goneWithinMs = 2_000;

/** @throws {Interrupted} when the run is to stop. */
export async function measureDelivery(
  command: readonly string[],
  { load, timing, block }: DeliveryRequest,
  { host, signal, cpus }: Workbench,
): Promise<DeliveryOutcome> {
  const nothing = { windows: [], delivered: null, result: null, failure: null };
  const program = command[1] ?? "";
  if (!existsSync(program)) {
    return { ...nothing, unavailable: "is in a clone of the repository only" };
  }
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
  const { warmupMs, windows, windowMs } = timing;
  const { connections, payloadBytes, ratePerSecond } = load;
  const settings: DeliverySettings = {
    ...{ connections, payloadBytes, ratePerSecond, warmupMs, windows, windowMs, block, folder },
    serverCpu: cpus.server,
    clientCpu: cpus.client,
  };
  const heard = new Heard();
  const child = host.start([...command, JSON.stringify(settings)], {
    launch: { cpu: null },
    onLine: (line) => heard.hear(line),
  });
  try {
    const timeoutMs = marginMs + mostPhases * (warmupMs + windows * windowMs);
    const exit = await within(child.exited, { timeoutMs, signal });
    const end =
      exit === null ? `did not end within ${Math.round(timeoutMs / 1000)} s` : describeExit(exit);
    return heard.outcome(describeEnd(child, end));
  } finally {
    child.kill("SIGKILL");
    await within(child.exited, { timeoutMs: goneWithinMs });
    // Its children are killed with it, and one may still be about to bind a socket in there.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The lines of the program, as they come. */
class Heard {
  readonly #windows: Window[] = [];
  #delivered: Delivered | null = null;
  #result: LoadResult | null = null;
  #unavailable: string | null = null;

  hear(line: string): void {
    const event = parseEvent(line);
    if (event?.event === "window") this.#windows.push(event);
    if (event?.event === "delivered") this.#delivered = event;
    if (event?.event === "result") this.#result = event;
    if (event?.event === "unavailable") this.#unavailable = event.reason;
  }

  /** @param end how the program ended: the failure if it printed no complete result. */
  outcome(end: string): DeliveryOutcome {
    const [delivered, result, unavailable] = [this.#delivered, this.#result, this.#unavailable];
    const complete = delivered !== null && result !== null;
    const failure = complete || unavailable !== null ? (result?.error ?? null) : end;
    return { windows: this.#windows, delivered, result, unavailable, failure };
  }
}
