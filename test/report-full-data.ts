// Invented results of a run of everything, for the tests of the HTML report: fourteen contenders,
// all workloads, a timeline. Simple laws give the figures, so that the charts have the shapes that
// real ones have. Nothing here was measured.

import type { Cell, Metric, MetricName, Results, TimelineRound } from "../bench/model/results.ts";
import { kindOf } from "../bench/model/version-1.ts";
import { inventedResults } from "./report-data.ts";

/** Microseconds per message, and per connection that is checked without result. */
interface Law {
  readonly cost: number;
  readonly scan: number;
  readonly userBytes: number;
  readonly idle: number;
}

const laws: Readonly<Record<string, Law>> = {
  "cpp:reactor-epoll": { cost: 11.1, scan: 0, userBytes: 220, idle: 0.012 },
  "cpp:reactor-epoll-edge": { cost: 11.0, scan: 0, userBytes: 224, idle: 0.012 },
  "cpp:proactor-epoll": { cost: 10.0, scan: 0, userBytes: 120, idle: 0.012 },
  "cpp:io_uring": { cost: 8.6, scan: 0, userBytes: 410, idle: 0.014 },
  "cpp:thread-per-connection": { cost: 15.9, scan: 0, userBytes: 9_600, idle: 0.02 },
  "cpp:process-per-connection": { cost: 21, scan: 0, userBytes: 61_000, idle: 0.03 },
  "cpp:select": { cost: 12.4, scan: 0.0018, userBytes: 216, idle: 0.012 },
  "cpp:poll": { cost: 12.1, scan: 0.0021, userBytes: 228, idle: 0.012 },
  "cpp:busy-poll": { cost: 11.5, scan: 0.0022, userBytes: 210, idle: 99.9 },
  "ts:reactor-epoll": { cost: 13.8, scan: 0, userBytes: 640, idle: 0.09 },
  "ts:reactor-io_uring": { cost: 14.2, scan: 0, userBytes: 650, idle: 0.1 },
  "ts:connections-epoll": { cost: 10.4, scan: 0, userBytes: 240, idle: 0.1 },
  "ts:connections-io_uring": { cost: 10.2, scan: 0, userBytes: 250, idle: 0.1 },
  "ts:select": { cost: 15.2, scan: 0.0019, userBytes: 632, idle: 0.09 },
  "ts:poll": { cost: 15.1, scan: 0.0022, userBytes: 644, idle: 0.09 },
  "ts:busy-poll": { cost: 16, scan: 0.0023, userBytes: 610, idle: 99.8 },
  "node:net": { cost: 16.7, scan: 0, userBytes: 5_300, idle: 0.3 },
};

const names = Object.keys(laws);
const reference = "cpp:reactor-epoll";

/** A spread of its own for each contender and figure, the same each time. */
function wobble(key: string): number {
  let hash = 7;
  for (const character of key) hash = (hash * 31 + character.charCodeAt(0)) % 9973;
  return 0.01 + (hash % 40) / 1000;
}

function around(unit: string, median: number, key: string, spread = wobble(key)): Metric {
  const blocks = [-1, -0.5, 0, 0, 0.4, 1].map((share) => median * (1 + share * spread));
  return { unit, median, low: median * (1 - spread), high: median * (1 + spread), blocks };
}

const none: Metric = { unit: "us", median: null, low: null, high: null, blocks: [] };

interface Scale {
  readonly workload: string;
  readonly connections: number;
  readonly active?: number;
  readonly payload?: number;
  readonly rate?: number | null;
  readonly variant?: string;
  readonly headline?: MetricName;
}

type Metrics = Partial<Record<MetricName, Metric>>;

function cell(contender: string, scale: Scale, metrics: Metrics, messages = 120_000): Cell {
  const ratioMetric = metrics.ratioToReference;
  const tied =
    ratioMetric !== undefined &&
    contender !== reference &&
    (ratioMetric.low ?? 1) <= 1 &&
    (ratioMetric.high ?? 1) >= 1;
  return {
    workload: scale.workload,
    contender,
    ...kindOf(contender),
    connections: scale.connections,
    activeConnections: scale.active ?? scale.connections,
    payloadBytes: scale.payload ?? 64,
    ratePerSecond: scale.rate === undefined ? 20_000 : scale.rate,
    ...(scale.variant === undefined ? {} : { variant: scale.variant }),
    headline: scale.headline ?? "serverCpuPerMessage",
    status: tied ? "tie" : "ok",
    reason: null,
    blocks: 6,
    dropped: wobble(contender + scale.connections) > 0.045 ? 2 : 0,
    messages,
    mismatches: 0,
    metrics,
  };
}

function costOf(contender: string, { connections, active, payload = 64 }: Scale): number {
  const { cost, scan } = laws[contender] ?? { cost: 1, scan: 0 };
  const perWait = Math.max(1, ((active ?? connections) / 10_000) * 60);
  return cost * (1 + payload / 8192) + (scan * connections * 8) / perWait;
}

function messageMetrics(contender: string, scale: Scale): Metrics {
  const key = `${contender} ${JSON.stringify(scale)}`;
  const cost = costOf(contender, scale);
  const ratio = cost / costOf(reference, scale);
  const p50 = 40 + cost * 6;
  const rate = scale.rate ?? 20_000;
  return {
    serverCpuPerMessage: around("us", cost, key),
    ratioToReference:
      contender === reference
        ? { unit: "ratio", median: 1, low: 1, high: 1, blocks: [1, 1, 1, 1, 1, 1] }
        : around("ratio", ratio, key),
    serverCpuPercent: around("percent", Math.min(100, (cost * rate) / 1e4), key),
    latencyP50: around("us", p50, key),
    latencyP90: around("us", p50 * 1.9, key),
    latencyP99: around("us", p50 * 5.5, key),
    latencyP999: contender === "node:net" ? none : around("us", p50 * 14, key),
    latencyP50Uncorrected: around("us", p50 * 0.9, key),
    latencyP99Uncorrected: around("us", p50 * 4.1, key),
    throughput: around("1/s", rate, key),
    systemCallsPerMessage: around("1", 2.1, key),
    contextSwitchesPerMessage: around("1", 0.4, key),
    clientCpuPerMessage: around("us", 8.2, key),
  };
}

function messageCells(scale: Scale, contenders: readonly string[] = names): Cell[] {
  return contenders.map((name) => cell(name, scale, messageMetrics(name, scale)));
}

/** Cells without messages of a rate: their ratio is that of their headline. */
function plainCells(scale: Scale, metrics: (contender: string, law: Law) => Metrics): Cell[] {
  const headline = scale.headline ?? "serverCpuPerMessage";
  const quiet = { ...scale, rate: null, headline };
  const own = laws[reference];
  const base = own === undefined ? undefined : metrics(reference, own)[headline];
  return Object.entries(laws).map(([name, law]) => {
    const figures = metrics(name, law);
    const ratio = (figures[headline]?.median ?? 1) / (base?.median ?? 1);
    const key = `${name} ${scale.workload} ${scale.connections} ${scale.variant}`;
    const ratioToReference =
      name === reference ? around("ratio", 1, "same", 0) : around("ratio", ratio, key);
    return cell(name, quiet, { ...figures, ratioToReference }, 0);
  });
}

/** The same with and without a disturbance, which costs each contender its own factor. */
function disturbedCells(scale: Scale, variants: readonly [string, string], factor: number): Cell[] {
  const headline = scale.headline ?? "serverCpuPerMessage";
  return variants.flatMap((variant, index) =>
    messageCells({ ...scale, variant }).map((one): Cell => {
      const found = one.metrics[headline] ?? none;
      const key = `${one.contender} ${variant} baseline`;
      const grown = index === 0 ? 1 : factor * (1 + wobble(key) * 5);
      const metrics = {
        ...one.metrics,
        [headline]: around(found.unit, (found.median ?? 0) * grown, key),
        serverMemory: around("bytes", 40e6 * grown, key),
        ...(index === 0 ? {} : { ratioToBaseline: around("ratio", grown, key) }),
      };
      return { ...one, metrics };
    }),
  );
}

function capacityCells(): Cell[] {
  const scale: Scale = { workload: "echo-capacity", connections: 1_000, headline: "throughput" };
  const cells = plainCells(scale, (name, law) => ({
    throughput: around("1/s", 9.6e5 / (law.cost + law.scan * 1_000), `${name} capacity`),
  }));
  return cells.map((one): Cell => {
    if (one.contender !== "cpp:io_uring") return one;
    const { throughput = none, ratioToReference: _unranked, ...rest } = one.metrics;
    const reason = "at least 110,000/s, limited by the load generator";
    return {
      ...{ ...one, status: "inconclusive", reason },
      metrics: { ...rest, throughputAtLeast: throughput },
    };
  });
}

function readinessCells(): Cell[] {
  const wait: Readonly<Record<string, number>> = {
    epoll: 0,
    io_uring: 0,
    poll: 0.03,
    select: 0.01,
  };
  return [10, 100, 1_000, 10_000].flatMap((connections) =>
    Object.entries(wait).map(([name, scan]) => {
      const cost = 0.4 + scan * connections;
      return cell(
        name,
        { ...{ workload: "readiness", connections, active: 1, payload: 1 }, ...waitScale },
        {
          eventCost: around("us", cost + 0.7, `${name} event`),
          waitCost: around("us", cost, `${name} wait`),
          registerCost: around("us", 0.6, `${name} register`),
        },
        0,
      );
    }),
  );
}

const waitScale = { rate: null, headline: "eventCost" } as const;

function allCells(): Cell[] {
  const counts = [1, 10, 100, 1_000, 10_000];
  const echo = [1, 64, 1_024, 16_384].flatMap((payload) =>
    counts.flatMap((connections) => messageCells({ workload: "echo-rate", connections, payload })),
  );
  const few = { workload: "active-fraction", rate: 5_000 };
  const active = [10, 100, 1_000, 10_000].flatMap((share) =>
    messageCells({
      ...{ ...few, connections: 10_000, active: share },
      variant: `${share / 100} % active`,
    }),
  );
  const alone = messageCells({ ...few, connections: 100, variant: "none silent" });
  const idle = [1_000, 10_000].flatMap((connections) =>
    plainCells(
      { workload: "idle", connections, active: 0, headline: "idleCpuPercent" },
      (name, law) => ({
        idleCpuPercent: around("percent", law.idle, `${name} idle ${connections}`),
        serverMemory: around("bytes", 3e6 + law.userBytes * connections, `${name} rss`),
      }),
    ),
  );
  const memory = plainCells(
    { workload: "memory", connections: 10_000, headline: "userBytesPerConnection" },
    (name, law) => ({
      userBytesPerConnection: around("bytes", law.userBytes, `${name} user`),
      kernelBytesPerConnection: around("bytes", 3_300, `${name} kernel`),
    }),
  );
  const connecting = ["connect only", "connect, echo, close"].flatMap((variant, index) =>
    plainCells(
      { workload: "connect-rate", connections: 64, variant, headline: "serverCpuPerConnection" },
      (name, law) => {
        const cost = 14 + law.cost * (index + 1) + law.userBytes / 300;
        return {
          serverCpuPerConnection: around("us", cost, `${name} cycle`),
          acceptsPerSecond: around("1/s", 9e5 / cost, `${name} accepts`),
        };
      },
    ),
  );
  const deep = disturbedCells({ workload: "pipelining", connections: 100 }, depths, 0.4);
  const slow = disturbedCells(
    { workload: "slow-readers", connections: 1_000, headline: "latencyP99" },
    ["undisturbed", "50 never read"],
    1.05,
  );
  const fairness = ["undisturbed", "one floods"].flatMap((variant, index) =>
    plainCells(
      { workload: "hot-connection", connections: 100, variant, headline: "fairnessJain" },
      (name, law) => ({
        fairnessJain: around("1", Math.max(0.2, 1 - (index * law.cost) / 100), `${name} jain`),
        longestGap: around("us", 900 + index * law.cost * 400, `${name} gap`),
      }),
    ),
  );
  const rest = [active, alone, idle, memory, connecting, deep, slow, fairness, readinessCells()];
  return [echo, capacityCells(), ...rest].flat();
}

const depths: readonly [string, string] = ["depth 1", "depth 16"];

/** Some cells of each kind that is not plain. */
function disturbed(cells: readonly Cell[]): Cell[] {
  return cells.map((one): Cell => {
    const large = one.connections === 10_000;
    if (one.workload === "echo-rate" && large && one.contender === "cpp:process-per-connection") {
      const reason = "kernel.pid_max 8192 < 10100 needed; sudo sysctl kernel.pid_max=32768";
      return { ...one, status: "skipped", reason, blocks: 0, messages: 0, metrics: {} };
    }
    if (one.workload === "echo-rate" && large && one.contender === "ts:poll") {
      const reason = "3 of 6 blocks dropped: the server waited for its CPU (9 windows)";
      return { ...one, status: "inconclusive", reason, blocks: 3, dropped: 9 };
    }
    if (one.contender === "ts:reactor-io_uring" && one.workload === "idle") {
      const reason = "kernel.io_uring_disabled is 2";
      return { ...one, status: "unavailable", reason, blocks: 0, messages: 0, metrics: {} };
    }
    return one;
  });
}

function timelineOf(cells: readonly Cell[]): TimelineRound[] {
  const scenarios = new Map<string, Cell[]>();
  for (const one of cells.filter(({ blocks }) => blocks > 0)) {
    const { workload, connections, activeConnections, payloadBytes } = one;
    const key = [workload, connections, activeConnections, payloadBytes].join(" ");
    scenarios.set(key, [...(scenarios.get(key) ?? []), one]);
  }
  const rounds: TimelineRound[] = [];
  let now = 900;
  for (const scenario of scenarios.values()) {
    for (let block = 1; block <= 6; block++) {
      for (const one of scenario) {
        const { workload, contender, connections, activeConnections, payloadBytes } = one;
        const place = { workload, contender, connections, activeConnections, payloadBytes };
        const bad = one.status === "inconclusive" && block % 2 === 0;
        const dropped = bad ? 4 : block === 5 && one.dropped > 0 ? 2 : 0;
        const reason = dropped > 0 ? "the server waited for its CPU" : null;
        const durationMs = 900 + connections * 0.04;
        rounds.push({
          ...{ ...place, block, startedMs: now, durationMs },
          ...{ windows: 4, dropped, reason, failed: false },
        });
        now += durationMs + 110;
      }
    }
  }
  return rounds;
}

/** Everything that the suite can measure, as one run of the profile `full`. */
export function fullResults(changes: Partial<Results> = {}): Results {
  const cells = disturbed(allCells());
  return inventedResults({ profile: "full", cells, timeline: timelineOf(cells), ...changes });
}

/** A run of echo-rate alone, whose rounds are few enough to be shown one by one. */
export function smallResults(changes: Partial<Results> = {}): Results {
  const cells = disturbed(messageCells({ workload: "echo-rate", connections: 10_000 }));
  return inventedResults({ cells, timeline: timelineOf(cells), ...changes });
}
