// What a history says in words: how many figures changed, then each change. Pure.

import { count, enumerate, plural } from "../report/format.ts";
import { wrap } from "../report/text-table.ts";
import { changeDefaults } from "../statistics/e-divisive.ts";
import { gateMetric } from "./metrics.ts";
import type { Trend, TrendChange, TrendPoint } from "./trend.ts";
import { figureText } from "./words.ts";

/** The series that changed: the latest change first, and of one run the largest. */
export function changedTrends(trends: readonly Trend[]): Trend[] {
  const lastOf = ({ changes }: Trend) => changes.at(-1);
  const timeOf = (trend: Trend) => trend.points[lastOf(trend)?.index ?? 0]?.at ?? "";
  const sizeOf = (trend: Trend) => {
    const { before = 1, after = 1 } = lastOf(trend) ?? {};
    // Infinity less itself would not be a number.
    return changeOf({ before, after }) ?? Number.MAX_VALUE;
  };
  return trends
    .filter(({ changes }) => changes.length > 0)
    .sort(
      (one, other) =>
        Date.parse(timeOf(other)) - Date.parse(timeOf(one)) || sizeOf(other) - sizeOf(one),
    );
}

/** "4 of 184 figures changed in 14 runs; about 9 would by chance, if none had." */
export function trendVerdict(trends: readonly Trend[]): string {
  const changed = changedTrends(trends).length;
  const runs = Math.max(0, ...trends.map(({ points }) => points.length));
  const some = changed === 0 ? "None" : count(changed);
  const found = `${some} of ${plural(trends.length, "figure")} changed in ${plural(runs, "run")}`;
  const { significance, minimumLength } = changeDefaults;
  const tested = trends.filter(({ points }) => points.length >= 2 * minimumLength);
  const byChance = Math.round(significance * tested.length);
  if (changed === 0 || byChance === 0) return `${found}.`;
  return `${found}; about ${count(byChance)} would by chance, if none had.`;
}

/** On a terminal; the page has the others. */
const mostShown = 10;

/** The verdict, then a figure and its changes in two lines. */
export function trendLines(trends: readonly Trend[], width: number): string[] {
  const changed = changedTrends(trends);
  const more = changed.length - mostShown;
  return [
    ...wrap(trendVerdict(trends), width),
    ...changed.slice(0, mostShown).flatMap((trend) => {
      const moves = trend.changes.map((change) => changeWords(change, trend));
      return [
        "",
        ...wrap(`${titleOf(trend)} (${trend.profile})`, width, "  "),
        ...moves.flatMap((move) => wrap(move, width - 2).map((line) => `  ${line}`)),
      ];
    }),
    ...(more > 0 ? ["", `${plural(more, "more figure")} changed: the page has all of them.`] : []),
  ];
}

/** A series' name in words: "ts:poll: CPU per message; echo-rate 10000 64 B 20000/s". */
export function titleOf({ name, metric }: Trend): string {
  const words = name.split(" ").filter((word) => word !== metric);
  const contender = words.pop() ?? "";
  return `${contender}: ${gateMetric(metric).title}; ${words.join(" ")}`;
}

export function summaryOf(trend: Trend): string {
  const moves = trend.changes.map((change) => changeWords(change, trend));
  const runs = plural(trend.points.length, "run");
  return moves.length === 0 ? `${runs}; no change found.` : `${runs}; ${enumerate(moves)}.`;
}

/** "10.1 µs to 11.1 µs (+10.0 %, p = 0.005) at cba987654321, 2026-11-13". */
function changeWords(change: TrendChange, { metric, points }: Trend): string {
  const { index, before, after, pValue } = change;
  const { unit } = gateMetric(metric);
  const share = changeOf(change);
  const sign = after < before ? "−" : "+";
  const percent = share === null ? "" : `${sign}${(share * 100).toFixed(1)} %, `;
  const from = `${figureText(before, unit)} to ${figureText(after, unit)}`;
  const moved = `${from} (${percent}p = ${pValue.toFixed(3)})`;
  return `${moved} at ${commitText(points[index])}, ${points[index]?.at.slice(0, 10) ?? ""}`;
}

/** By which share a level changed, up or down; null of or to a level that is not above zero. */
function changeOf({ before, after }: Pick<TrendChange, "before" | "after">): number | null {
  return before > 0 && after > 0 ? Math.abs(after / before - 1) : null;
}

/** As many digits of the commit as git usually needs. */
export function commitText(point: TrendPoint | undefined): string {
  return point?.commit?.slice(0, 12) ?? "an unknown commit";
}
