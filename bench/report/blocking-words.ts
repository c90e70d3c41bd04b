// What a handler that blocks costs the messages of others, by what it stops, as one sentence per
// kind of server: the blocking-handler section of the report.

import type { Cell } from "../model/results.ts";
import { blockedPercent, blockingHandler } from "../model/workloads/blocking-handler.ts";
import { duration, percent } from "./format.ts";
import { figure, type Group } from "./groups.ts";
import { enumerated, joined, type Sentence, say } from "./sentence.ts";

/** What stands still while a handler blocks. */
type Stops = "all" | "process" | "connection" | "worker";

const stops: Readonly<Record<string, Stops>> = {
  prefork: "process",
  "thread-per-connection": "connection",
  "reactor-workers": "worker",
  "connections-workers": "worker",
  "net-workers": "worker",
};

const because: { readonly [S in Stops]: (cell: Cell) => string } = {
  all: ({ ratePerSecond }) =>
    "If one thread serves all connections, all messages wait while a handler blocks, " +
    `which is ${percent(blockedPercent(ratePerSecond ?? 0))} % of the time at this rate`,
  process: () => "With several processes only one stops; connections of the others do not wait",
  connection: () => "With a thread per connection only that connection stops",
  worker: () =>
    "With a pool of workers only a worker stops; the thread that serves the connections does not",
};

/**
 * The p99 of the messages that do not block, with the most connections, and the reason; empty if it
 * was not measured.
 */
export function blockingSentence(groups: readonly Group[]): Sentence {
  const blocked = groups
    .flatMap(({ measured }) => measured)
    .filter(({ variant }) => variant !== blockingHandler.baseline.variant);
  const most = Math.max(...blocked.map(({ connections }) => connections));
  const cells = blocked.filter(({ connections }) => connections === most);
  const kinds = ["all", "process", "worker", "connection"] as const;
  return joined(
    kinds.map((kind) => sentenceOf(kind, cells)).filter((sentence) => sentence.length > 0),
    " ",
  );
}

function sentenceOf(kind: Stops, cells: readonly Cell[]): Sentence {
  const found = cells.flatMap((cell) => {
    const p99 = figure(cell, "latencyP99")?.median;
    return (stops[cell.strategy] ?? "all") === kind && p99 !== undefined ? [{ cell, p99 }] : [];
  });
  const [first] = found;
  if (first === undefined) return [];
  const each = found.map(({ cell, p99 }) => say`${duration(p99)} with ${{ name: cell.contender }}`);
  return say`${because[kind](first.cell)}: p99 ${enumerated(each)}.`;
}
