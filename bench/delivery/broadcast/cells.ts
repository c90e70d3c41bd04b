// The workload `broadcast`: N members, one message in, N out, by server. Enters: a plan. Leaves:
// cells.

import type { Cell, Metric } from "../../results.ts";
import { quantile, sort } from "../../statistics/quantile.ts";
import { deriveSeed } from "../../statistics/random.ts";
import { summarize } from "../../statistics/summary.ts";
import { Peer } from "../peers.ts";
import type { BroadcastLoadResult, BroadcastLoadSettings } from "./load.ts";
import type { BroadcastServer } from "./room.ts";
import { rooms } from "./rooms.ts";

export type BroadcastMetric =
  | "deliveriesPerSecond"
  /** From when a message was meant to be sent until the last member had it, µs. */
  | "lastReceiverP50"
  | "lastReceiverP99"
  /** Of the server, µs: for one message to one member. */
  | "serverCpuPerDelivery";

export interface BroadcastCell extends Omit<Cell, "metrics"> {
  readonly workload: "broadcast";
  readonly metrics: Partial<Record<BroadcastMetric, Metric>>;
}

export interface BroadcastPlan extends Omit<BroadcastLoadSettings, "port"> {
  /** All unless given. */
  readonly servers?: readonly BroadcastServer[];
  readonly blocks: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

interface Block {
  readonly load: BroadcastLoadResult;
  readonly serverNs: number | null;
}

/** One server's way through the blocks. */
interface Course {
  readonly server: BroadcastServer;
  readonly blocks: Block[];
  failure: string | null;
}

export async function measureBroadcast(plan: BroadcastPlan): Promise<BroadcastCell[]> {
  const courses = (plan.servers ?? rooms).map(
    (server): Course => ({ server, blocks: [], failure: null }),
  );
  for (let block = 0; block < plan.blocks; block++) {
    for (const course of courses.filter(({ server }) => fits(server, plan))) {
      if (plan.signal?.aborted === true || course.failure !== null) continue;
      plan.onProgress?.(`broadcast ${block + 1}/${plan.blocks} ${course.server.name}`);
      try {
        course.blocks.push(await playBlock(plan, course.server));
      } catch (error) {
        course.failure = error instanceof Error ? error.message : String(error);
      }
    }
  }
  return courses.map((course) => cellOf(plan, course));
}

async function playBlock(plan: BroadcastPlan, { name }: BroadcastServer): Promise<Block> {
  const server = new Peer("bench/delivery/broadcast/serve", [name]);
  let load: Peer | null = null;
  try {
    const { port } = await server.hear<{ port: number }>();
    const { members, messages, gapMs, payloadBytes } = plan;
    const settings = { port, members, messages, gapMs, payloadBytes };
    load = new Peer("bench/delivery/broadcast/load", [JSON.stringify(settings)]);
    await load.hear();
    const before = server.cpuNs();
    load.ask({});
    const result = await load.hear<BroadcastLoadResult>();
    const after = server.cpuNs();
    return { load: result, serverNs: before === null || after === null ? null : after - before };
  } finally {
    await Promise.all([load?.kill(), server.kill()]);
  }
}

const rows: readonly [BroadcastMetric, string, (block: Block) => number | null][] = [
  ["deliveriesPerSecond", "1/s", ({ load }) => load.deliveries / load.seconds],
  ["lastReceiverP50", "us", ({ load }) => quantileUs(load.lastNs, 0.5)],
  ["lastReceiverP99", "us", ({ load }) => quantileUs(load.lastNs, 0.99)],
  [
    "serverCpuPerDelivery",
    "us",
    ({ load, serverNs }) =>
      serverNs === null || load.deliveries === 0 ? null : serverNs / load.deliveries / 1000,
  ],
];

function cellOf(plan: BroadcastPlan, course: Course): BroadcastCell {
  const { server, blocks } = course;
  const { members, messages, gapMs, payloadBytes } = plan;
  const expected = blocks.length * members * messages;
  const delivered = blocks.reduce((sum, { load }) => sum + load.deliveries, 0);
  const wrong = blocks.reduce((sum, { load }) => sum + load.wrong, 0);
  const options = { seed: deriveSeed(plan.seed, "bootstrap") };
  const figures = rows.map(([name, unit, of]) => [
    name,
    summarize(
      unit,
      blocks.map(of).filter((value) => value !== null),
      options,
    ),
  ]);
  const mismatches = expected - delivered + wrong;
  const { status, reason } = conclusionOf(plan, course, mismatches);
  return {
    workload: "broadcast",
    contender: server.name,
    connections: members,
    activeConnections: 1,
    payloadBytes,
    ratePerSecond: 1000 / gapMs,
    status,
    reason,
    blocks: blocks.length,
    dropped: 0,
    messages: delivered,
    mismatches,
    metrics: status === "ok" ? Object.fromEntries(figures) : {},
  };
}

function conclusionOf(
  plan: BroadcastPlan,
  { server, blocks, failure }: Course,
  mismatches: number,
): Pick<BroadcastCell, "status" | "reason"> {
  if (!fits(server, plan)) {
    const reason = `a thread each: ${server.mostMembers} members at most, not ${plan.members}`;
    return { status: "unsupported", reason };
  }
  if (failure !== null) return { status: "failed", reason: failure };
  if (blocks.length === 0) {
    return { status: "inconclusive", reason: "interrupted before its first block" };
  }
  if (mismatches > 0)
    return { status: "failed", reason: `${mismatches} deliveries missing or wrong` };
  return { status: "ok", reason: null };
}

function fits({ mostMembers }: BroadcastServer, { members }: BroadcastPlan): boolean {
  return mostMembers === null || members <= mostMembers;
}

function quantileUs(valuesNs: readonly number[], q: number): number | null {
  return valuesNs.length === 0 ? null : quantile(sort(valuesNs), q) / 1000;
}
