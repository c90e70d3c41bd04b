// What a run over several machines has in addition to its figures: start skew, saturated agents,
// interrupted links and suspended hosts. It goes into the results as data.

import { type AgentShare, isDisturbedAgent, isFullAgent } from "./merge.ts";

interface AgentFacts {
  /** From 1, in the order in which the agents were named. */
  readonly agent: number;
  readonly windows: number;
  /** Windows in which it was saturated, or sent late by itself. */
  readonly fullWindows: number;
  /** Windows in which it sent late because other programs used its CPU. */
  readonly disturbedWindows: number;
  readonly sentMessages: number;
  readonly droppedMessages: number;
  /** The mean over windows, and the largest of one. */
  readonly cpuPercent: number;
  readonly senderDelayMsP99: number;
}

export interface FleetFacts {
  /** Between the first and the last start of a window, on one clock; null without windows. */
  readonly startSkewMs: { readonly median: number; readonly largest: number } | null;
  /** The largest possible error of the measured difference between two clocks. */
  readonly clockUncertaintyMs: number | null;
  readonly agents: readonly AgentFacts[];
  /** Agents that limited the load in more than half of their windows. */
  readonly limitedByClients: readonly number[];
  /** Agents that other programs held up in more than half of their windows. */
  readonly disturbedAgents: readonly number[];
  /** What went wrong, in words, with the host's name. */
  readonly faults: readonly string[];
}

export class FactCollector {
  readonly #skewsMs: number[] = [];
  readonly #shares = new Map<number, AgentShare[]>();
  readonly #faults: string[] = [];
  readonly #missedStarts = new Map<number, { full: number; disturbed: number }>();
  #uncertaintyMs: number | null = null;

  window(shares: readonly AgentShare[], uncertaintyMs: number): void {
    this.#skewsMs.push(Math.max(...shares.map(({ startedMs }) => startedMs)));
    this.#uncertaintyMs = Math.max(this.#uncertaintyMs ?? 0, uncertaintyMs);
    for (const share of shares) {
      const known = this.#shares.get(share.agent);
      if (known === undefined) this.#shares.set(share.agent, [share]);
      else known.push(share);
    }
  }

  /** A generator came too late for its own start over a quick link: its CPU was not free. */
  missedStart(agent: number, why: "full" | "disturbed"): void {
    const missed = this.#missedStarts.get(agent) ?? { full: 0, disturbed: 0 };
    this.#missedStarts.set(agent, { ...missed, [why]: missed[why] + 1 });
  }

  fault(text: string): void {
    if (!this.#faults.includes(text)) this.#faults.push(text);
  }

  get facts(): FleetFacts {
    const known = new Set([...this.#shares.keys(), ...this.#missedStarts.keys()]);
    const agents = [...known].map((agent) =>
      factsOf(agent, this.#shares.get(agent) ?? [], this.#missedStarts.get(agent)),
    );
    const full = agents.filter(({ windows, fullWindows }) => 2 * fullWindows > windows);
    const disturbed = agents.filter(
      ({ windows, disturbedWindows }) => 2 * disturbedWindows > windows,
    );
    const sorted = this.#skewsMs.toSorted((one, other) => one - other);
    const median = sorted[Math.floor(sorted.length / 2)];
    return {
      startSkewMs: median === undefined ? null : { median, largest: sorted.at(-1) ?? median },
      clockUncertaintyMs: this.#uncertaintyMs,
      agents: agents.sort((one, other) => one.agent - other.agent),
      limitedByClients: full.map(({ agent }) => agent),
      disturbedAgents: disturbed.map(({ agent }) => agent),
      faults: this.#faults,
    };
  }
}

function factsOf(
  agent: number,
  shares: readonly AgentShare[],
  missed = { full: 0, disturbed: 0 },
): AgentFacts {
  const sum = (field: keyof AgentShare) => shares.reduce((total, share) => total + share[field], 0);
  // Not Math.max(...): a long run has more windows than a call takes arguments.
  const latest = shares.reduce((most, share) => Math.max(most, share.senderDelayMsP99), 0);
  return {
    agent,
    windows: shares.length + missed.full + missed.disturbed,
    fullWindows: shares.filter(isFullAgent).length + missed.full,
    disturbedWindows: shares.filter(isDisturbedAgent).length + missed.disturbed,
    sentMessages: sum("sentMessages"),
    droppedMessages: sum("droppedMessages"),
    cpuPercent: rounded(sum("cpuPercent") / Math.max(1, shares.length)),
    senderDelayMsP99: rounded(latest),
  };
}

/** To three digits: what differs from run to run in the first one is not read to the sixth. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
