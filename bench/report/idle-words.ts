// What silent connections cost, as one sentence: the idle section of the report.

import type { Cell } from "../model/results.ts";
import { count, percent } from "./format.ts";
import { figure, type Group } from "./groups.ts";
import { joined, mostListed, namesOf, type Sentence, say, someOf } from "./sentence.ts";

/** What waiting costs: which contenders use CPU while their connections are silent. */
export function idleSentence(group: Group | undefined): Sentence {
  if (group === undefined) return [];
  const found = group.measured.flatMap((cell) => {
    const cpu = figure(cell, "idleCpuPercent")?.median;
    return cpu === undefined ? [] : [{ cell, cpu }];
  });
  const busy = found.filter(({ cpu }) => cpu >= idlePercent);
  const quiet = found.filter(({ cpu }) => cpu < idlePercent);
  const most = leastAbove(Math.max(0, ...quiet.map(({ cpu }) => cpu)));
  const verb = quiet.length === 1 ? "uses" : "use";
  const waiting = quiet.map(({ cell }) => cell);
  const parts = [
    ...busy.map(
      ({ cell, cpu }) => say`${{ name: cell.contender }} uses ${percent(cpu)} % of a core`,
    ),
    ...(quiet.length > 0 && busy.length > 0 ? [say`${restOf(waiting)} less than ${most} %`] : []),
    ...(quiet.length > 0 && busy.length === 0
      ? [say`${someOf(waiting)} ${verb} less than ${most} % of a core`]
      : []),
  ];
  if (parts.length === 0) return [];
  const silent = count((found[0]?.cell ?? group.measured[0])?.connections ?? 0);
  return say`With ${silent} silent connections, ${joined(parts, "; ")}.`;
}

/** Names are of use while they are few. */
function restOf(cells: readonly Cell[]): Sentence {
  return cells.length <= mostListed ? namesOf(cells) : [`the ${count(cells.length)} others`];
}

/** The next tenth of a percent: 0 is measured by the tick, and is less than 0.1. */
function leastAbove(value: number): string {
  return ((Math.floor(value * 10) + 1) / 10).toFixed(1);
}

/** Below so many percent of a core a server is idle. */
const idlePercent = 1;
