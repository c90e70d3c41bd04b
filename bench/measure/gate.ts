// Which windows count. Pure: a window and what is known about its contender in, the rules that it
// breaks out. The rules are measurement.md's: noise of the machine, or a load generator that was
// not up to its task. A server that is full is not noise and is told apart. Leaves: to cells.ts,
// which drops and counts, and puts the rules into words.

import type { Window } from "./events.ts";

export const ruleWords = {
  "server-waited": "the server waited for its CPU",
  "client-waited": "the load generator waited for its CPU",
  stolen: "the hypervisor took CPU time",
  rate: "the rate was missed",
  late: "messages left late",
  full: "the server's CPU was full before it bore the rate",
} as const;

export type Rule = keyof typeof ruleWords;

export interface Limits {
  /**
   * Shares of a window's time in which a single-threaded side was ready to run and another process
   * did.
   */
  readonly runQueueShare: number;
  readonly stealShare: number;
  readonly achievedShare: number;
  readonly sendLagNsP99: number;
  /** From this share of its CPU on a server that misses the rate is full, not disturbed. */
  readonly fullShare: number;
}

export const limits: Limits = {
  runQueueShare: 0.03,
  stealShare: 0.01,
  achievedShare: 0.99,
  sendLagNsP99: 1e6,
  fullShare: 0.95,
};

/**
 * What is due in a window's last moments comes back in the next one: so much, and a message or two,
 * is not missing.
 */
const edgeNs = 2e6;
const edgeMessages = 2;

/** proc_stat(5): USER_HZ is 100. */
const stealTickNs = 1e7;

/**
 * The rules that a window breaks; none where it counts.
 * @param singleThreaded whether the server is: threads of one server wait for each other, and that
 * is its own cost.
 */
export function brokenRules(window: Window, singleThreaded: boolean): Rule[] {
  const rules: Rule[] = [];
  const share = (ns: number | null) => (ns ?? 0) / window.durationNs;
  if (singleThreaded && share(window.serverRunQueueWaitNs) > limits.runQueueShare) {
    rules.push("server-waited");
  }
  if (share(window.clientRunQueueWaitNs) > limits.runQueueShare) rules.push("client-waited");
  if (share(stolenNs(window)) > limits.stealShare) rules.push("stolen");
  if (isFull(window)) {
    // Its full buffers are also why the generator could not send in time.
    rules.push("full");
  } else {
    if (missesRate(window)) rules.push("rate");
    if ((window.sendLagNsP99 ?? 0) > limits.sendLagNsP99) rules.push("late");
  }
  return rules;
}

/** The kernel reports it in ticks: one of them may have been taken over long before the window. */
function stolenNs({ stealNs }: Window): number {
  return Math.max(0, (stealNs ?? 0) - stealTickNs);
}

/**
 * Whether the server used up its CPU and still missed the rate, with a load generator that was not
 * held up.
 */
export function isFull(window: Window): boolean {
  const { durationNs, serverCpuNs, clientRunQueueWaitNs } = window;
  return (
    missesRate(window) &&
    (serverCpuNs ?? 0) >= limits.fullShare * durationNs &&
    (clientRunQueueWaitNs ?? 0) <= limits.runQueueShare * durationNs
  );
}

function missesRate({ intendedMessages, completedMessages, durationNs }: Window): boolean {
  const atTheEdge = Math.max(edgeMessages, (intendedMessages * edgeNs) / durationNs);
  return completedMessages < limits.achievedShare * intendedMessages - atTheEdge;
}
