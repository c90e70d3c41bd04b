// Which contenders a chart shows, ranked or not; the others are named with their reason.

import type { Cell } from "../../model/results.ts";
import { figureOrBound, type Group, isSeen } from "../groups.ts";
import { reasonOf } from "../words.ts";
import type { Chart } from "./chart.ts";

/** The cells that have a figure, or a bound of it; those that are not ranked come last. */
export function drawable(group: Group, metric: string): Cell[] {
  const seen = group.others.filter(isSeen);
  return [...group.measured, ...seen].filter((cell) => figureOrBound(cell, metric) !== undefined);
}

/** Every cell of the group that is not drawn, with its reason. */
export function missingOf(group: Group, drawn: readonly Cell[]): Chart["missing"] {
  return [...group.measured, ...group.others]
    .filter((cell) => !drawn.includes(cell))
    .map((cell) => ({
      contender: cell.contender,
      reason:
        cell.status === "ok" || cell.status === "tie"
          ? "the platform or the server does not report this figure"
          : reasonOf(cell),
    }));
}
