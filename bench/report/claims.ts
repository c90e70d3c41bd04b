// What the literature claims of each strategy, with the cells that test it, and what a run says of
// it. docs/claims.md lists the same claims.

import type { Cell, Results } from "../model/results.ts";
import { isSaturated } from "./cautions.ts";
import { ratio, significant } from "./format.ts";
import { type Figure, figure, hasFigures, isMeasured, isProbable, unitOf } from "./groups.ts";
import { figureWithInterval } from "./intervals.ts";
import { metricWords } from "./metric-words.ts";

type BoundJudgement = "holds" | "does not hold" | "not resolved";

/** "tie" and "probably" are the verdicts on the ratio that tests the claim: docs/measurement.md. */
type ClaimResult =
  | BoundJudgement
  | "probably holds"
  | "probably does not hold"
  | "tie"
  | "not measured";

interface Claim {
  readonly id: string;
  readonly claim: string;
  readonly source: string;
  /** The workload and what of it is compared. */
  readonly tested: string;
  readonly judge: (cells: readonly Cell[]) => TestedClaim;
}

/** The server that those of the claims are compared with. */
const base = "cpp:reactor-epoll";

interface TestedClaim {
  readonly judgement: ClaimResult;
  /** Empty if nothing was measured. */
  readonly figures: string;
}

const c10k = "Kegel, The C10K problem";
const common = "common knowledge";
const posa = "Schmidt, Proactor (POSA 2)";

export const claims: readonly Claim[] = [
  {
    id: "idle-threads",
    claim: "Idle threads use CPU",
    source: common,
    tested: "idle: CPU of cpp:thread-per-connection is at least 1 % of a core",
    judge: (cells) => atLeast(cells, ["idle", "cpp:thread-per-connection", "idleCpuPercent"], 1),
  },
  {
    id: "polling-idles",
    claim: "Busy polling uses a whole core at any load",
    source: common,
    tested: "idle: CPU of cpp:busy-poll is at least 95 % of a core",
    judge: (cells) => atLeast(cells, ["idle", "cpp:busy-poll", "idleCpuPercent"], 95),
  },
  {
    id: "thread-memory",
    claim: "A thread per connection takes a stack per connection",
    source: c10k,
    tested: "memory: user bytes per connection of cpp:thread-per-connection are at least 4 KiB",
    judge: (cells) =>
      atLeast(cells, ["memory", "cpp:thread-per-connection", "userBytesPerConnection"], 4096),
  },
  {
    id: "threads-cost",
    claim: "With ten thousand connections one event loop costs less than a thread for each",
    source: c10k,
    tested: "echo-rate: CPU per message of cpp:thread-per-connection against cpp:reactor-epoll",
    judge: (cells) => against(cells, "cpp:thread-per-connection", "more"),
  },
  {
    id: "scan-grows",
    claim: "The cost of select and poll grows with all connections, the silent ones too",
    source: c10k,
    tested:
      "active-fraction: CPU per message of cpp:select, with silent connections at least 1.25 " +
      "times that without them",
    judge: (cells) => grows(cells, "cpp:select", { over: 1.25, holds: "above" }),
  },
  {
    id: "ready-only",
    claim: "The cost of epoll depends on what is ready, not on what is registered",
    source: c10k,
    tested:
      "active-fraction: CPU per message of cpp:reactor-epoll, with silent connections less than " +
      "1.25 times that without them",
    judge: (cells) => grows(cells, "cpp:reactor-epoll", { over: 1.25, holds: "below" }),
  },
  {
    id: "edge-cheaper",
    claim: "Edge-triggered readiness costs less than level-triggered",
    source: c10k,
    tested: "echo-rate: CPU per message of cpp:reactor-epoll-edge against cpp:reactor-epoll",
    judge: (cells) => against(cells, "cpp:reactor-epoll-edge", "less"),
  },
  {
    id: "completions-cheaper",
    claim: "Completions cost less than readiness",
    source: posa,
    tested: "echo-rate: CPU per message of cpp:io_uring against cpp:reactor-epoll",
    judge: (cells) => against(cells, "cpp:io_uring", "less"),
  },
  {
    id: "reactor-overhead",
    claim: "A reactor in JavaScript costs more than the same in C++",
    source: common,
    tested: "echo-rate: CPU per message of ts:reactor-epoll against cpp:reactor-epoll",
    judge: (cells) => against(cells, "ts:reactor-epoll", "more"),
  },
  {
    id: "streams-cost",
    claim: "Node's net module costs more than a reactor without streams",
    source: common,
    tested: "echo-rate: CPU per message of node:net against cpp:reactor-epoll",
    judge: (cells) => against(cells, "node:net", "more"),
  },
];

/** What the run says of each claim. Its ratios say nothing if they are to another reference. */
export function judgedClaims({ cells, reference }: Pick<Results, "cells" | "reference">) {
  const comparable = reference === base ? cells : cells.map(withoutRatio);
  return claims.map((claim) => ({ claim, judged: claim.judge(comparable) }));
}

function withoutRatio(cell: Cell): Cell {
  const { ratioToReference: _, ...metrics } = cell.metrics;
  return { ...cell, metrics };
}

const unmeasured: TestedClaim = { judgement: "not measured", figures: "" };

type CellFigure = readonly [workload: string, contender: string, metric: string];

/** Whether a figure reaches a bound, by its interval if it has one. */
function atLeast(
  cells: readonly Cell[],
  [workload, contender, metric]: CellFigure,
  bound: number,
): TestedClaim {
  const cell = largest(cells, workload, contender).find((one) => figure(one, metric));
  const found = cell === undefined ? undefined : figure(cell, metric);
  if (cell === undefined || found === undefined) return unmeasured;
  const text = figureWithInterval(found, metricWords(metric, unitOf(cell, metric)).format);
  const judgement = hasFigures(cell) ? sideOf(found, bound, "above") : "not resolved";
  return { judgement, figures: text };
}

/** The ratio to the reference with the most connections. */
function against(cells: readonly Cell[], contender: string, wanted: "more" | "less"): TestedClaim {
  const wide = largest(cells, "echo-rate", contender);
  const cell = wide.find((one) => figure(one, "ratioToReference"));
  const found = cell === undefined ? undefined : figure(cell, "ratioToReference");
  if (cell === undefined || found === undefined) return unmeasured;
  const side = sideOf(found, 1, wanted === "more" ? "above" : "below");
  const known = found.low !== null && !isSaturated(cell);
  const judgement = known ? byVerdict(cell, side) : "not resolved";
  return { judgement, figures: figureWithInterval(found, ratio) };
}

/** As the verdict on the cell is: a ratio that is not ranked decides nothing. */
function byVerdict(cell: Cell, side: BoundJudgement): ClaimResult {
  if (cell.status === "tie") return "tie";
  if (side === "not resolved") return side;
  if (isProbable(cell)) return `probably ${side === "holds" ? "holds" : "does not hold"}`;
  return cell.status === "ok" ? side : "not resolved";
}

interface Growth {
  readonly over: number;
  readonly holds: "above" | "below";
}

/** The cost beside silent connections, as a multiple of that of as many active ones alone. */
function grows(cells: readonly Cell[], contender: string, { over, holds }: Growth): TestedClaim {
  const all = largest(cells, "active-fraction", contender);
  const cost = (cell: Cell | undefined) =>
    cell === undefined ? undefined : figure(cell, "serverCpuPerMessage");
  const alone = all.findLast((one) => one.activeConnections === one.connections);
  const beside = all.find(
    (one) => one !== alone && one.activeConnections === alone?.activeConnections,
  );
  const [none, silent] = [cost(alone), cost(beside)];
  if (silent === undefined || none === undefined) return unmeasured;
  const times: Figure = {
    median: silent.median / none.median,
    low: silent.low === null || none.high === null ? null : silent.low / none.high,
    high: silent.high === null || none.low === null ? null : silent.high / none.low,
  };
  const figures =
    `${significant(none.median)} µs without silent connections, ` +
    `${significant(silent.median)} µs with them`;
  const stand = [alone, beside].every((one) => one !== undefined && hasFigures(one));
  const judgement = stand && times.low !== null ? sideOf(times, over, holds) : "not resolved";
  return { judgement, figures };
}

/** On which side of a bound a figure lies; not resolved if its interval holds the bound. */
function sideOf(
  { median, low, high }: Figure,
  bound: number,
  wanted: "above" | "below",
): BoundJudgement {
  const isAbove = (low ?? median) >= bound;
  const isBelow = (high ?? median) < bound;
  if (!isAbove && !isBelow) return "not resolved";
  return isAbove === (wanted === "above") ? "holds" : "does not hold";
}

/** The measured cells of a contender, those with the most connections first. */
function largest(cells: readonly Cell[], workload: string, contender: string): Cell[] {
  return cells
    .filter((cell) => cell.workload === workload && cell.contender === contender)
    .filter((cell) => isMeasured(cell) || cell.status === "inconclusive")
    .sort((one, other) => other.connections - one.connections);
}
