// Which windows are valid: from a window and the facts about its contender, the rules that it
// breaks. The rules are those of docs/measurement.md: noise of the machine, or a load generator
// that could not keep up; a workload names the rules that apply to it. A saturated server is not
// noise and has a rule of its own. Pure.

import type { Window } from "../model/events.ts";
import type { GateRule } from "../model/reasons.ts";
import { decodeHistogram } from "../statistics/hdr-encoding.ts";

export interface Limits {
  /** Share of a window in which a single-threaded side was ready while another process ran. */
  readonly runQueueShare: number;
  readonly stealShare: number;
  readonly achievedShare: number;
  readonly senderDelayNsP99: number;
  /** From this share of its CPU on a server that misses the rate is full, not disturbed. */
  readonly fullShare: number;
  /** Up to this share of its CPU the load generator was not the limit. */
  readonly clientShare: number;
}

export const limits: Limits = {
  runQueueShare: 0.03,
  stealShare: 0.01,
  achievedShare: 0.99,
  senderDelayNsP99: 1e6,
  fullShare: 0.95,
  clientShare: 0.85,
};

/** What is due in a window's last moments is back in the next one: so much is not missing. */
const edgeNs = 2e6;
const edgeMessages = 2;

/** proc_stat(5): USER_HZ is 100. */
const stealTickNs = 1e7;

interface Judging {
  /** Those of the workload. */
  readonly rules: readonly GateRule[];
  /** Whether the server is: else its threads wait for each other, which is its own cost. */
  readonly singleThreaded: boolean;
}

/** The rules that a window breaks; none if it counts. */
export function brokenRules(window: Window, { rules, singleThreaded }: Judging): GateRule[] {
  const share = (ns: number | null) => (ns ?? 0) / window.durationNs;
  const takenNs = window.serverTakenNs ?? window.serverRunQueueWaitNs;
  // A full server's buffers are also why the generator could not send in time.
  const full = isFull(window);
  const broken: Readonly<Record<GateRule, boolean>> = {
    "server-waited": singleThreaded && share(takenNs) > limits.runQueueShare,
    "client-waited": share(clientTakenNs(window)) > limits.runQueueShare,
    stolen: share(stolenNs(window)) > limits.stealShare,
    rate: !full && missesRate(window),
    late: !full && (senderDelayNs(window) ?? window.sendLagNsP99 ?? 0) > limits.senderDelayNsP99,
    full,
    "clients-full": false,
  };
  const found = rules.filter((rule) => broken[rule]);
  // In every workload, because then the figures are those of the load generators.
  return (window.fullAgents ?? []).length > 0 ? [...found, "clients-full"] : found;
}

/**
 * The delay that the load generator itself caused. If it sends late because a connection waits for
 * an earlier answer, that is the server's time.
 */
function senderDelayNs({ senderDelay }: Window): number | null {
  return senderDelay === undefined ? null : decodeHistogram(senderDelay).quantile(0.99);
}

/**
 * For a generator that spins, only the time that was taken while it sent or received. Time that was
 * taken while it had nothing to do delayed nothing; a message that became due then is sent late.
 */
function clientTakenNs(window: Window): number | null {
  const taken = window.clientTakenNs ?? window.clientRunQueueWaitNs;
  const { clientCpuNs, clientSpunNs = 0 } = window;
  if (taken === null || clientSpunNs === 0) return taken;
  return (taken * clientCpuNs) / (clientCpuNs + clientSpunNs);
}

/** The kernel reports it in ticks: one of them may have been taken over long before the window. */
function stolenNs({ stealNs }: Window): number {
  return Math.max(0, (stealNs ?? 0) - stealTickNs);
}

/** Whether the server used up its CPU and missed the rate of an undisturbed load generator. */
export function isFull(window: Window): boolean {
  const { durationNs, serverCpuNs } = window;
  return (
    missesRate(window) &&
    (serverCpuNs ?? 0) >= limits.fullShare * durationNs &&
    (clientTakenNs(window) ?? 0) <= limits.runQueueShare * durationNs
  );
}

function missesRate({ intendedMessages, completedMessages, durationNs }: Window): boolean {
  const atTheEdge = Math.max(edgeMessages, (intendedMessages * edgeNs) / durationNs);
  return completedMessages < limits.achievedShare * intendedMessages - atTheEdge;
}
