// One result of several load generators: histograms merge bucket by bucket, counters add, the
// server's figures are those that were read on its own host. Pure: JSON events in, one out.

import { isRecord } from "../model/schema.ts";
import { decodeHistogram, encodeHistogram } from "../statistics/hdr-encoding.ts";
import { merge as mergeHistograms } from "../statistics/histogram.ts";

/** An event of a load generator, with all its fields. */
export type Line = Readonly<Record<string, unknown>>;

/** What one agent did in a window, for the report and for the judgement on it. */
export interface AgentShare {
  /** From 1, in the order in which the agents were named. */
  readonly agent: number;
  readonly sentMessages: number;
  /** Due in the window and never sent: their connection was lost, or had no room for them. */
  readonly droppedMessages: number;
  readonly durationMs: number;
  /** Percent of one core, over the window. */
  readonly cpuPercent: number;
  /** Ready to run while other programs, or the hypervisor, had its CPU; 0 with a CPU limit. */
  readonly waitedPercent: number;
  readonly senderDelayMsP99: number;
  /** After the earliest agent, on the coordinator's clock. */
  readonly startedMs: number;
}

/** From these figures on a generator is the limit, not the server. */
const fullAgent = { cpuPercent: 85, senderDelayMsP99: 1 } as const;

type CpuAndDelay = Pick<
  AgentShare,
  "cpuPercent" | "waitedPercent" | "senderDelayMsP99" | "durationMs"
>;

/**
 * Whether it used up the CPU time that other programs left to it, or sent later than they explain:
 * no message is held up for longer than all their use of its CPU took.
 */
export function isFullAgent(share: CpuAndDelay): boolean {
  const { cpuPercent, waitedPercent, senderDelayMsP99, durationMs } = share;
  const left = Math.max(0, 100 - waitedPercent);
  const waitedMs = (durationMs * waitedPercent) / 100;
  return (
    cpuPercent > (fullAgent.cpuPercent * left) / 100 ||
    senderDelayMsP99 - waitedMs > fullAgent.senderDelayMsP99
  );
}

/** Whether it sent late because other programs used its CPU. */
export function isDisturbedAgent(share: CpuAndDelay): boolean {
  return share.senderDelayMsP99 > fullAgent.senderDelayMsP99 && !isFullAgent(share);
}

/** Those that say the same for all, or are the machine's: of the first agent. */
const common = new Set(["event", "index", "rate", "inFlightWanted", "settleNs", "processes"]);
/** The fullest agent decides: each has a CPU of its own. */
const largest = new Set([
  "durationNs",
  "clientCpuNs",
  "clientSpunNs",
  "clientRunQueueWaitNs",
  "clientTakenNs",
  "sendLagNsP99",
  "stealNs",
  "elapsedMs",
  "ms",
]);
/** The cookie of HdrHistogram V2 in base64. */
const histogramStart = "HISTE";

/** @param lines of one agent each, at least one. @param observed of the server's own host */
export function mergeLines(lines: readonly Line[], observed: Line | null = null): Line {
  const [first = {}] = lines;
  const merged: Record<string, unknown> = {};
  for (const name of Object.keys(first)) {
    const values = lines.map((line) => line[name]);
    merged[name] = mergeValues(name, values);
  }
  const server = Object.entries(observed ?? {}).filter(([name]) => name.startsWith("server"));
  const steal = [merged["stealNs"], observed?.["stealNs"]].filter(isNumber);
  return {
    ...merged,
    ...Object.fromEntries(server),
    ...("stealNs" in merged ? { stealNs: steal.length === 0 ? null : Math.max(...steal) } : {}),
  };
}

function mergeValues(name: string, values: readonly unknown[]): unknown {
  const [first] = values;
  if (common.has(name)) return first;
  if (typeof first === "string") {
    return first.startsWith(histogramStart)
      ? encodeHistogram(mergeHistograms((values as string[]).map(decodeHistogram)))
      : first;
  }
  if (values.every(isRecord)) return mergeRecords(values as Line[]);
  if (typeof first === "boolean") return values.every((value) => value === true);
  const numbers = values.filter(isNumber);
  if (largest.has(name)) return numbers.length === 0 ? null : Math.max(...numbers);
  if (numbers.length === values.length) return numbers.reduce((sum, value) => sum + value, 0);
  const missing = values.find((value) => value === null);
  return missing === null ? null : first;
}

/** Counts by kind; an agent that lacks a kind counts 0 of it. */
function mergeRecords(records: readonly Line[]): Line {
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  const rows = [...names].map((name) => {
    const values = records.map((record) => record[name]).filter((value) => value !== undefined);
    return [name, mergeValues(name, values)] as const;
  });
  return Object.fromEntries(rows);
}

/** The first fault of each kind begins with the machine that saw it. */
function withNamedFaults(line: Line, name: string): Line {
  const faults = line["faults"];
  if (typeof faults !== "object" || faults === null) return line;
  const named = Object.entries(faults).map(([kind, fault]) => {
    const first = (fault as Line | null)?.["first"];
    return [kind, typeof first === "string" ? { ...fault, first: `${name}: ${first}` } : fault];
  });
  return { ...line, faults: Object.fromEntries(named) };
}

/** The last lines of all agents: sums, the first fault, and fairness only of one. */
export function mergeResults(lines: readonly Line[], names: readonly string[]): Line {
  const named = (field: string) => {
    const at = lines.findIndex((line) => typeof line[field] === "string");
    return at < 0 ? null : `${names[at]}: ${lines[at]?.[field]}`;
  };
  return {
    ...mergeLines(lines.map((line, index) => withNamedFaults(line, names[index] ?? ""))),
    event: lines[0]?.["event"] ?? "result",
    mismatchDetail: named("mismatchDetail"),
    error: named("error"),
    // Jain's index needs the connections of one generator; it cannot be merged.
    fairness: lines.length === 1 ? (lines[0]?.["fairness"] ?? null) : null,
  };
}

interface AgentStarts {
  /** When the window of each line began, on one clock. */
  readonly startedNs: readonly number[];
  /** Whether a cgroup limits the agent's CPU time, which the kernel counts as waiting. */
  readonly limited: readonly boolean[];
}

export function agentShares(
  lines: readonly Line[],
  { startedNs, limited }: AgentStarts,
): AgentShare[] {
  const earliest = Math.min(...startedNs);
  return lines.map((line, index) => {
    const percent = (name: string) => (100 * numberOf(line[name])) / numberOf(line["durationNs"]);
    const waited = isNumber(line["clientTakenNs"]) ? "clientTakenNs" : "clientRunQueueWaitNs";
    const delay = line["senderDelay"];
    const delayNs = typeof delay === "string" ? decodeHistogram(delay).quantile(0.99) : null;
    return {
      agent: index + 1,
      sentMessages: numberOf(line["sentMessages"]),
      droppedMessages: Math.max(
        0,
        numberOf(line["intendedMessages"]) - numberOf(line["sentMessages"]),
      ),
      durationMs: numberOf(line["durationNs"]) / 1e6,
      cpuPercent: percent("clientCpuNs"),
      waitedPercent: limited[index] === true ? 0 : percent(waited),
      senderDelayMsP99: (delayNs ?? numberOf(line["sendLagNsP99"])) / 1e6,
      startedMs: ((startedNs[index] ?? earliest) - earliest) / 1e6,
    };
  });
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function numberOf(value: unknown): number {
  return isNumber(value) ? value : 0;
}
