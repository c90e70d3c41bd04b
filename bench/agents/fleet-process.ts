// Load generators on several hosts as one process: what is sent goes to all of them, each with the
// same instant on its own clock, and the lines of all become one line.

import { monotonicNs } from "../host/channel.ts";
import { describeEnd, describeExit, type Exit, type HostProcess } from "../host/host.ts";
import type { Agent } from "./agent.ts";
import type { FactCollector } from "./facts.ts";
import { agentShares, isFullAgent, type Line, mergeLines, mergeResults } from "./merge.ts";
import { RemoteEnd } from "./remote-process.ts";

/** One generator, or the observer of the server. */
export interface FleetMember {
  readonly agent: Agent;
  /** Whether its waiting for a CPU may be that for a limit of its own, and explains nothing. */
  readonly cpuLimited: boolean;
  readonly start: (onLine: (line: string) => void) => HostProcess;
}

interface FleetOptions {
  readonly generators: readonly FleetMember[];
  readonly observer: FleetMember;
  /** `run` begins by itself once all are connected, and `filled` where peers never read. */
  readonly begins: "on-command" | "connected" | "filled";
  readonly onLine: (line: string) => void;
  readonly facts: FactCollector;
}

interface Running {
  readonly agent: Agent;
  readonly cpuLimited: boolean;
  readonly process: HostProcess;
  readonly lines: Map<string, Line[]>;
  exit: Exit | null;
}

/** Between telling and the instant, in addition to the round trips: processes must wake up. */
const shortestLeadMs = 25;
/** The next attempt leaves so much more time: 25, 100, 400 ms. */
const leadGrowth = 4;
/** An answer that took longer was held up by the link or the host, not by the generator. */
const stoodStillMs = 1_000;
/** A link that was slow once gets another instant; one that stays slow is a fault. */
const mostTries = 3;
const usualSettleMs = 10;
/** After one has failed: what the others still report is waited for so long. */
const graceMs = 1_000;

export class FleetProcess extends RemoteEnd implements HostProcess {
  readonly #options: FleetOptions;
  readonly #generators: readonly Running[];
  readonly #observer: Running;
  #ending = false;
  #failure: string | null = null;
  #tries = 0;
  #command = "";
  #suspendedNs: ReadonlyMap<Agent, number> = new Map();
  #issuedMs = 0;
  #told = false;

  constructor(options: FleetOptions) {
    super();
    this.#options = options;
    this.#generators = options.generators.map((member) => this.#run(member));
    this.#observer = this.#run(options.observer);
  }

  get pid(): number {
    return this.#generators[0]?.process.pid ?? 0;
  }

  get stderrTail(): string {
    const tails = this.#all.map(({ agent, process }) => [agent.name, process.stderrTail] as const);
    return tails
      .filter(([, tail]) => tail !== "")
      .map(([name, tail]) => `${name}: ${tail}`)
      .join(" | ");
  }

  send(line: string): void {
    if (line === "end") this.#ending = true;
    if (!line.startsWith("window ")) {
      for (const { process } of this.#all) process.send(line);
      return;
    }
    this.#command = line;
    this.#tries = 0;
    void this.#issue();
  }

  kill(signal: NodeJS.Signals): void {
    for (const { process } of this.#all) process.kill(signal);
  }

  get #all(): Running[] {
    return [...this.#generators, this.#observer];
  }

  #run({ agent, cpuLimited, start }: FleetMember): Running {
    const lines = new Map<string, Line[]>();
    const process = start((text) => {
      const line = parseLine(text);
      const event = line?.["event"];
      if (line === null || typeof event !== "string") return;
      // A window that was not measured is an answer to the same command.
      const kind = event === "refused" ? "window" : event;
      lines.set(kind, [...(lines.get(kind) ?? []), line]);
      this.#collect(kind);
    });
    const running: Running = { agent, cpuLimited, process, lines, exit: null };
    void process.exited.then((exit) => this.#endOf(running, exit));
    return running;
  }

  /** Sends the command, with one instant in each host's own time. */
  async #issue(): Promise<void> {
    this.#tries++;
    await this.#exchange();
    this.#suspendedNs = new Map(this.#all.map(({ agent }) => [agent, agent.clock.suspendedNs]));
    const settleMs = Number(/settle-ms=(\d+)/.exec(this.#command)?.[1] ?? usualSettleMs);
    this.#issuedMs = performance.now();
    const atNs = monotonicNs() + (this.#leadMs() + settleMs) * 1e6;
    for (const { agent, process } of this.#all) {
      process.send(`${this.#command} at-ns=${agent.clock.toTheirs(atNs)}`);
    }
  }

  async #begin(): Promise<void> {
    this.#tries++;
    await this.#exchange();
    this.#issuedMs = performance.now();
    const atNs = monotonicNs() + this.#leadMs() * 1e6;
    for (const { agent, process } of this.#all) {
      process.send(`begin at-ns=${agent.clock.toTheirs(atNs)}`);
    }
  }

  /** A lost agent shows as the end of its process. */
  async #exchange(): Promise<void> {
    await Promise.allSettled(this.#all.map(({ agent }) => agent.exchange()));
  }

  #leadMs(): number {
    const roundTrips = this.#all.map(({ agent }) => agent.clock.lastRoundTripNs / 1e6);
    const least = shortestLeadMs * leadGrowth ** (this.#tries - 1);
    return least + 2 * Math.max(...roundTrips);
  }

  /** Once every one of them has such a line, they become one. */
  #collect(kind: string): void {
    const observed = ["connected", "window", "result"].includes(kind);
    const parties = observed ? this.#all : this.#generators;
    while (parties.every(({ lines }) => (lines.get(kind)?.length ?? 0) > 0)) {
      const taken = parties.map(({ lines }) => lines.get(kind)?.shift() ?? {});
      const observer = observed ? (taken.pop() ?? null) : null;
      if (kind === "window") void this.#window(taken, observer ?? {});
      else if (kind === "result") this.#result(taken);
      else this.#tell(mergeLines(taken));
      if (kind === this.#options.begins) void this.#begin();
    }
  }

  async #window(lines: readonly Line[], observer: Line): Promise<void> {
    const held = this.#options.begins === "on-command";
    const refused = [...lines, observer].findIndex(({ event }) => event === "refused");
    if (refused >= 0) {
      const line = [...lines, observer][refused] ?? {};
      const reason = String(line["reason"]);
      const linkStood = performance.now() - this.#issuedMs > stoodStillMs;
      if (!linkStood && refused < lines.length) {
        const lateNs = Number(line["lateNs"] ?? Number.POSITIVE_INFINITY);
        const { cpuLimited } = this.#generators[refused] as Running;
        const waited = !cpuLimited && Number(line["waitedNs"] ?? 0) >= lateNs;
        this.#options.facts.missedStart(refused + 1, waited ? "disturbed" : "full");
      }
      return this.#again(`${this.#all[refused]?.agent.name}: ${reason}`);
    }
    if (held) {
      await this.#exchange();
      const sleeper = this.#all.find(
        ({ agent }) => agent.clock.suspendedNs > (this.#suspendedNs.get(agent) ?? 0),
      );
      if (sleeper !== undefined) {
        return this.#again(`${sleeper.agent.name}: its host was suspended during a window`);
      }
    }
    this.#report(lines, observer);
  }

  #report(lines: readonly Line[], observer: Line): void {
    const startedNs = lines.map((line, index) =>
      (this.#generators[index] as Running).agent.clock.toOurs(Number(line["startedNs"])),
    );
    const limited = this.#generators.map(({ cpuLimited }) => cpuLimited);
    const shares = agentShares(lines, { startedNs, limited });
    const clocks = this.#generators.map(({ agent }) => agent.clock.estimate.roundTripNs);
    this.#options.facts.window(shares, Math.max(...clocks) / 2e6);
    const fullAgents = shares.filter(isFullAgent).map(({ agent }) => agent);
    this.#tell({
      ...mergeLines(lines, observer),
      // On our clock: each host's own says nothing elsewhere.
      startedNs: Math.round(Math.min(...startedNs)),
      fullAgents,
    });
  }

  /** What was measured at different times, or not by all, counts for nothing. */
  #again(fault: string): void {
    this.#options.facts.fault(fault);
    if (this.#tries >= mostTries) {
      this.#fail(`${fault} (${mostTries} times)`);
    } else if (this.#options.begins === "on-command") {
      void this.#issue();
    } else {
      // Some have begun, and one has not: there is no second start.
      this.#fail(fault);
    }
  }

  #result(lines: readonly Line[]): void {
    this.#told = true;
    const merged = mergeResults(
      lines,
      this.#generators.map(({ agent }) => agent.name),
    );
    this.#tell({ ...merged, error: merged["error"] ?? this.#failure });
  }

  #tell(line: Line): void {
    this.#options.onLine(JSON.stringify(line));
  }

  #fail(failure: string): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    this.#options.facts.fault(failure);
    setTimeout(() => this.kill("SIGKILL"), graceMs).unref();
  }

  #endOf(running: Running, exit: Exit): void {
    running.exit = exit;
    const { agent, process, lines } = running;
    const sound = exit.code === 0 && (this.#ending || this.#options.begins !== "on-command");
    if (!sound && this.#failure === null && exit.signal !== "SIGKILL") {
      const said = (lines.get("result") ?? []).find(({ error }) => typeof error === "string");
      const end = `the load generator ${describeEnd(process, describeExit(exit))}`;
      this.#fail(exit.lost ?? `${agent.name}: ${said?.["error"] ?? end}`);
    }
    if (this.#all.some((other) => other.exit === null)) return;
    this.#tellPartOfTheResult();
    this.end(this.#all.find((other) => other.exit?.code !== 0)?.exit ?? exit);
  }

  /** Those that came to a result have one, even if others did not. */
  #tellPartOfTheResult(): void {
    if (this.#told) return;
    const known = this.#generators.flatMap(({ agent, lines }) =>
      (lines.get("result") ?? []).slice(0, 1).map((line) => ({ name: agent.name, line })),
    );
    if (known.length === 0) return;
    const merged = mergeResults(
      known.map(({ line }) => line),
      known.map(({ name }) => name),
    );
    const missing = this.#failure ?? "not every load generator came to its end";
    this.#tell({ ...merged, error: missing });
  }
}

function parseLine(text: string): Line | null {
  if (!text.startsWith("{")) return null;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
