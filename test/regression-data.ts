// Invented pairs, tests and results of the gate, for tests of the code that renders them.

import type { GateCell, GateResult } from "../bench/gate/result.ts";
import { compareAll, type Test } from "../bench/gate/rule.ts";
import { normalQuantile } from "../bench/statistics/normal.ts";
import { seededRandom, uniform } from "../bench/statistics/random.ts";

export interface Noise {
  /** Head over base, truly. */
  readonly ratio: number;
  /** Standard deviation of the log ratio of a pair. */
  readonly sigma: number;
  /** One pair in ten spreads five times as far. */
  readonly tails?: boolean;
  readonly pairs?: number;
}

export function blocks(
  seed: number,
  { ratio, sigma, tails = false, pairs = 20 }: Noise,
): Test["pairs"] {
  const random = seededRandom(seed);
  return Array.from({ length: pairs }, () => {
    const wild = tails && uniform(random) < 0.1 ? 5 : 1;
    const error = wild * sigma * normalQuantile(uniform(random, 1e-9, 1));
    return { base: 10, head: 10 * ratio * Math.exp(error) };
  });
}

export function testOf(id: string, pairs: Test["pairs"], planned = pairs.length): Test {
  return { id, better: "less", gates: true, margin: 0.02, wanted: 0.05, planned, pairs };
}

export function gateResult(changes: Partial<GateResult> = {}): GateResult {
  const [first] = compareAll([testOf("a", blocks(9, { ratio: 1.06, sigma: 0.01 }))]);
  const cell: GateCell = {
    verdict: "regression",
    cause: null,
    reason: null,
    first: first ?? null,
    second: first ?? null,
    workload: "echo-rate",
    contender: "ts:reactor-epoll",
    runtime: "ts",
    strategy: "reactor-epoll",
    metric: "serverCpuPerMessage",
    gates: true,
    margin: 0.02,
    base: 10,
    head: 10.6,
    blocks: blocks(9, { ratio: 1.06, sigma: 0.01 }),
  };
  return {
    schemaVersion: 1,
    kind: "regression",
    profile: "short",
    startedAt: "2026-11-21T09:30:00Z",
    finishedAt: "2026-11-21T09:31:00Z",
    seed: 1,
    base: { name: "origin/main", commit: "123456789abc" },
    head: { name: "HEAD", commit: "cba987654321" },
    environment: { fingerprint: "aaaa" },
    outcome: "regression",
    cells: [cell, { ...cell, metric: "latencyP99", gates: false }],
    controls: [{ code: "base-itself", held: true, tests: 4, alarms: [] }],
    notes: [{ code: "not-counted", metric: "instructions", text: "a | note with `marks` and <b>" }],
    ...changes,
  };
}
