// A figure with its 95 % interval, in the one notation that every table, chart and sentence has:
// the unit once, which both ends share with the figure.

import type { Format } from "./format.ts";
import type { Figure } from "./groups.ts";

/** "1.24 ms (0.980–11.2)"; the figure alone without an interval. */
export function figureWithInterval(found: Figure, format: Format): string {
  const interval = intervalWords(found, format);
  return interval === "" ? format(found.median) : `${format(found.median)} ${interval}`;
}

/** "(0.980–11.2)", in the unit of the median; empty without an interval. */
export function intervalWords({ median, low, high }: Figure, { parts }: Format): string {
  if (low === null || high === null) return "";
  return `(${parts(low, median).digits}–${parts(high, median).digits})`;
}
