// The profiles: which workloads, contenders and scales one command runs, and for how long.

import type { WorkloadName } from "../model/workloads/catalogue.ts";
import { blocksForInterval } from "../statistics/bootstrap.ts";

/** How one round of one contender is timed. */
export interface Timing {
  /** At least. */
  readonly warmupMs: number;
  /** How long the warm-up may go on until the load is steady; 0: it is not watched. */
  readonly steadyWithinMs: number;
  readonly windows: number;
  readonly windowMs: number;
}

/** How many blocks; between the two, pilot pairs choose enough to resolve 5 %. */
export interface Blocks {
  readonly minimum: number;
  readonly maximum: number;
}

/** One workload at the scales given: every connection count with every payload. */
export interface ProfileRow {
  readonly workload: WorkloadName;
  readonly connections: readonly number[];
  /** Default: 64 bytes. */
  readonly payloadBytes?: readonly number[];
  /** Default: the workload has no rate of its own. */
  readonly ratePerSecond?: number;
  /** Only these of the workload's variants; default: all. */
  readonly variants?: readonly string[];
  /** Instead of the profile's. */
  readonly contenders?: readonly string[];
  readonly blocks?: Blocks;
  readonly timing?: Timing;
}

export interface Profile {
  readonly name: string;
  readonly summary: string;
  /** Names from the catalogue; null for all of them. */
  readonly contenders: readonly string[] | null;
  readonly rows: readonly ProfileRow[];
  readonly blocks: Blocks;
  readonly timing: Timing;
  /** Disturbed blocks are made up for within it; the last ones are left out if it is over. */
  readonly budgetSeconds: number;
}

export const defaultProfile = "quick";

/** Where a workload that the chosen profile does not have is looked for. */
export const wholeProfile = "full";

/** From a thread per connection to one reactor for all, and what people use today. */
const story = [
  "cpp:thread-per-connection",
  "cpp:busy-poll",
  "cpp:select",
  "cpp:poll",
  "cpp:reactor-epoll",
  "ts:reactor-epoll",
  "node:net",
];

/** From the reactor to the proactor, over readiness and over completions. */
const proactors = ["cpp:proactor-epoll", "ts:connections-epoll", "ts:connections-io_uring"];

/** Each of their processes is under the descriptor limit, however many connections there are. */
const preforked = ["cpp:prefork", "ts:prefork"];

const fixed = (blocks: number): Blocks => ({ minimum: blocks, maximum: blocks });

const fewBlocks = fixed(blocksForInterval);
/** Memory and idling vary little and differ much, so three blocks are enough. */
const fewestBlocks = fixed(3);

const timing = (warmupMs: number, windows: number, windowMs: number): Timing => ({
  warmupMs,
  steadyWithinMs: 0,
  windows,
  windowMs,
});

/** Ten thousand greetings have warmed the handler before the warm-up begins. */
const short = timing(100, 2, 150);
/**
 * Short, because the machine can change within milliseconds, and two that are compared are
 * neighbours. The ratio of two equal servers in a block, measured in turn: a standard deviation
 * of 1 % with windows of 10 ms, 4 % with 20 ms, and 5 % or more with 50 ms.
 */
const turns = timing(100, 30, 10);
const brief = timing(100, 3, 150);
/** How long a pilot measures what a server carries: some thousand messages. */
export const pilotMs = 200;
/** Enough messages for p99.9 at a quarter of a server's capacity. */
const loaded = timing(100, 3, 200);
const silent = timing(100, 5, 400);
/** Processes that ended are accounted for when they are waited for, many at a time. */
const lumpy = timing(100, 2, 300);
/** Longer than the bound of staleness, several times. */
const asked = timing(100, 1, 400);
/** So many seconds that each connection has its turn. */
const sweep = (windows: number) => ({ blocks: fixed(1), timing: timing(1000, windows, 1000) });

/** A workload at these numbers of connections. */
const row = (
  workload: WorkloadName,
  connections: readonly number[],
  more: Omit<ProfileRow, "workload" | "connections"> = {},
): ProfileRow => ({ workload, connections, ...more });

export const profiles: readonly Profile[] = [
  {
    name: "quick",
    budgetSeconds: 57,
    summary: "echo-rate at 10,000 connections, six contenders, under a minute",
    // poll(2) costs what select(2) does, and would take its seventh of the minute.
    contenders: story.filter((name) => name !== "cpp:poll"),
    rows: [row("echo-rate", [10_000], { ratePerSecond: 20_000 })],
    // A sixth would not fit into the minute.
    blocks: fixed(5),
    timing: { ...turns, windows: 21 },
  },
  {
    name: "default",
    budgetSeconds: 600,
    summary: "the six workloads that a newcomer asks about, about seven minutes",
    contenders: [...story, ...proactors],
    rows: [
      row("echo-rate", [10_000], { ratePerSecond: 20_000, blocks: fixed(6), timing: turns }),
      row("active-fraction", [10_000], {
        ratePerSecond: 10_000,
        variants: ["none silent", "1 % active"],
        timing: turns,
        contenders: ["cpp:select", "cpp:poll", "cpp:reactor-epoll", "ts:reactor-epoll"],
      }),
      row("idle", [10_000], { blocks: fewestBlocks, timing: timing(100, 2, 300) }),
      row("memory", [10_000], { blocks: fewestBlocks }),
      row("echo-capacity", [1_000], { timing: brief }),
      row("latency-against-load", [1_000], {
        blocks: fewestBlocks,
        timing: loaded,
        contenders: ["cpp:reactor-epoll", "ts:reactor-epoll", "node:net"],
      }),
    ],
    blocks: fewBlocks,
    timing: short,
  },
  {
    name: "full",
    budgetSeconds: 7_200,
    summary: "every workload but scale, every contender; about 90 minutes",
    contenders: null,
    rows: [
      row("echo-rate", [1, 10, 100, 1_000], { ratePerSecond: 10_000 }),
      row("echo-rate", [10_000], {
        ratePerSecond: 20_000,
        blocks: { minimum: 6, maximum: 12 },
        timing: turns,
      }),
      row("echo-rate", [1_000], { payloadBytes: [1, 1_024, 16_384], ratePerSecond: 5_000 }),
      row("echo-capacity", [100, 1_000, 10_000]),
      row("latency-against-load", [1_000], { blocks: fewestBlocks, timing: loaded }),
      row("active-fraction", [10_000], {
        ratePerSecond: 10_000,
        blocks: fewestBlocks,
        timing: brief,
      }),
      row("idle", [1_000, 10_000], { blocks: fewestBlocks, timing: silent }),
      row("memory", [10_000], { blocks: fewestBlocks }),
      row("connect-rate", [16], { timing: lumpy }),
      row("pipelining", [100]),
      row("slow-readers", [1_000], { ratePerSecond: 10_000, blocks: fewestBlocks }),
      row("hot-connection", [100]),
      row("blocking-handler", [1_000], { ratePerSecond: 2_000, timing: timing(100, 4, 250) }),
      row("broadcast", [32], {
        ratePerSecond: 250,
        blocks: fewestBlocks,
        timing: timing(320, 3, 200),
      }),
      row("event-delivery", [6], {
        payloadBytes: [0],
        ratePerSecond: 300,
        blocks: fewestBlocks,
        timing: timing(50, 1, 200),
      }),
      row("replicas", [1], { payloadBytes: [0], blocks: fewestBlocks, timing: asked }),
      row("replicas", [2, 4], {
        payloadBytes: [0],
        contenders: ["store:bounded"],
        blocks: fewestBlocks,
        timing: asked,
      }),
      row("readiness", [100, 1_000, 4_000], { payloadBytes: [1] }),
    ],
    blocks: fewBlocks,
    timing: short,
  },
  {
    name: "c100k",
    budgetSeconds: 900,
    summary: "100,000 connections, each of which echoes; memory, connect rate, a sweep",
    contenders: preforked,
    rows: [row("scale", [100_000], { ratePerSecond: 20_000, ...sweep(6) })],
    ...sweep(6),
  },
  {
    name: "c1m",
    budgetSeconds: 7_200,
    summary: "1,000,000 connections, each of which echoes; memory, connect rate, a sweep",
    contenders: preforked,
    rows: [row("scale", [1_000_000], { ratePerSecond: 20_000, ...sweep(52) })],
    ...sweep(52),
  },
];
