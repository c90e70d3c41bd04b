// The four figures that a choice depends on: the usual server against the reference, the latency of
// both, what both can carry, and errors; for a run that only holds connections, what it held.

import type { Cell, Results } from "../model/results.ts";
import { isSaturated } from "./cautions.ts";
import { bytes, count, duration, type Format, plainNumber, plural, ratio } from "./format.ts";
import { figure, figureOrBound, type Group, headlineFirst, isMeasured, isSeen } from "./groups.ts";
import { intervalWords } from "./intervals.ts";
import { isUnchecked, metricWords, sizeText } from "./metric-words.ts";
import { usual } from "./verdict-words.ts";

export interface Tile {
  readonly figure: string;
  readonly words: string;
}

/** At most four, those with a figure. */
export function tilesOf(groups: readonly Group[], opening: Group, results: Results): Tile[] {
  const { reference, cells } = results;
  const errors = errorsOf(cells);
  if (opening.workload === "scale") return [...heldTiles(opening), ...errors].slice(0, 4);
  const pair = pairOf(opening, reference);
  const [capacity] = headlineFirst(groups.filter(({ workload }) => workload === "echo-capacity"));
  const carries = capacity === undefined ? "" : metricWords(capacity.metric, "1/s").title;
  const tiles = [
    opening.metric === "serverCpuPerMessage" ? costTile(pair) : undefined,
    pairTile(pair, { metric: "latencyP99", format: duration, what: "p99 latency" }),
    capacity === undefined
      ? undefined
      : pairTile(pairOf(capacity, reference), {
          ...{ metric: capacity.metric, format: plainNumber },
          what: `${carries} with ${sizeText(capacity.workload, sizeOf(capacity))}`,
        }),
    ...errors,
  ].filter((tile) => tile !== undefined);
  return [...tiles, ...sizeTiles(results)].slice(0, 4);
}

/** The reference and the usual server, or the best of the others where that was not measured. */
interface Two {
  readonly base: Cell | undefined;
  readonly other: Cell | undefined;
}

function pairOf({ measured, others }: Group, reference: string): Two {
  const cells = [...measured, ...others.filter(isSeen)];
  const named = (name: string) => cells.find(({ contender }) => contender === name);
  const rival = measured.find(({ contender }) => contender !== reference);
  return { base: named(reference), other: named(usual) ?? rival };
}

function costTile({ base, other }: Two): Tile | undefined {
  const found = other === undefined ? undefined : figure(other, "ratioToReference");
  if (base === undefined || other === undefined || found === undefined) return undefined;
  if (isSaturated(other)) return undefined;
  const what = `CPU per message of ${other.contender} against ${base.contender}`;
  const words = `${what} ${intervalWords(found, ratio)}`.trimEnd();
  return { figure: `${ratio(found.median)}×`, words };
}

interface PairMetric {
  readonly metric: string;
  readonly format: Format;
  readonly what: string;
}

/** The figures, and the names with the intervals. */
function pairTile({ base, other }: Two, { metric, format, what }: PairMetric): Tile | undefined {
  const found = [base, other].flatMap((cell) => {
    const value = cell === undefined ? undefined : figureOrBound(cell, metric);
    if (cell === undefined || value === undefined) return [];
    const bound = figure(cell, metric) === undefined ? "≥ " : "";
    const name = `${cell.contender} ${intervalWords(value, format)}`.trimEnd();
    return [{ name, text: `${bound}${format(value.median)}` }];
  });
  if (found.length === 0) return undefined;
  const names = found.map(({ name }) => name).join(" · ");
  return { figure: found.map(({ text }) => text).join(" · "), words: `${what}: ${names}` };
}

/** Empty if no message was checked, and none is known to be wrong. */
function errorsOf(all: readonly Cell[]): Tile[] {
  const isCounted = ({ workload, mismatches }: Cell) => mismatches > 0 || !isUnchecked(workload);
  const cells = all.filter(isCounted);
  const sum = (of: (cell: Cell) => number) => cells.reduce((total, cell) => total + of(cell), 0);
  const wrong = sum(({ mismatches }) => mismatches);
  const failed = all.filter(({ status }) => status === "failed").length;
  const cases = failed === 0 ? "" : `; ${plural(failed, "cell")} failed`;
  const messages = sum(({ messages: number }) => number);
  if (messages === 0 && wrong === 0 && failed === 0) return [];
  const words = `of ${count(messages)} messages wrong or missing${cases}`;
  return [{ figure: count(wrong), words }];
}

function heldTiles(group: Group): Tile[] {
  const { measured } = group;
  const [first] = measured;
  if (first === undefined) return [];
  const listed = (parts: readonly string[]) => parts.join(" · ");
  /** The servers that have this figure, and the figure of each. */
  const having = (metric: string) =>
    measured.flatMap((cell) => {
      const found = figure(cell, metric);
      return found === undefined ? [] : [{ contender: cell.contender, found }];
    });
  const own = having("userBytesPerConnection");
  const timed = having("latencyP99");
  const [inKernel] = having("kernelBytesPerConnection");
  const kernelWords =
    inKernel === undefined
      ? ""
      : `, and ${bytes(inKernel.found.median)} in the kernel for both ends`;
  const intervals = timed.map(({ contender, found }) =>
    `${contender} ${intervalWords(found, duration)}`.trimEnd(),
  );
  const held = listed(measured.map(({ contender }) => contender));
  const sized = listed(own.map(({ contender }) => contender));
  const rows = [
    { figure: count(first.connections), words: `connections held by ${held}` },
    {
      figure: listed(own.map(({ found }) => bytes(found.median))),
      words: `of server memory per connection: ${sized}${kernelWords}`,
    },
    {
      figure: listed(timed.map(({ found }) => duration(found.median))),
      words: `p99 latency while messages sweep over all: ${listed(intervals)}`,
    },
  ];
  return rows.filter((tile) => tile.figure !== "");
}

/** What fills the row where less than four of the others were measured. */
function sizeTiles({ cells }: Results): Tile[] {
  const run = cells.filter((cell) => isMeasured(cell) || isSeen(cell));
  const most = Math.max(0, ...run.map(({ connections }) => connections));
  const contenders = new Set(run.map(({ contender }) => contender)).size;
  return [
    { figure: count(contenders), words: contenders === 1 ? "contender" : "contenders" },
    { figure: count(most), words: most === 1 ? "connection" : "connections at most" },
  ];
}

function sizeOf({ measured, others }: Group): number {
  return (measured[0] ?? others[0])?.connections ?? 0;
}
