// Where a question lies among the measured scales: on one of them, or between two that differ in
// one axis only. It never extrapolates: earlier measurements do not show what a server does beyond
// the last one.

import { blocksForInterval } from "../statistics/bootstrap.ts";
import { counts } from "./points.ts";
import type { Axis, Corner, MeasuredPoint, Question, ScalePoint } from "./question.ts";

/** Neighbours further apart than this say nothing about what lies between: a factor. */
export const farthestApart = 16;

export const axes: readonly Axis[] = [
  "connections",
  "activePercent",
  "payloadBytes",
  "ratePerSecond",
];

/** The point of a question, or its neighbours on one axis; null if there are none. */
export function cornersOf(
  points: readonly MeasuredPoint[],
  question: Question,
): readonly Corner[] | null {
  const asked = question.ratePerSecond;
  const rates = asked !== null ? [asked] : valuesOn(points, "ratePerSecond");
  const found = rates.flatMap((ratePerSecond) => {
    const place = { ...question, ratePerSecond };
    const point = fullest(points.filter((one) => axes.every((axis) => isOn(one, place, axis))));
    return point !== null
      ? [[{ point, weight: 1 }]]
      : axes.map((axis) => between(points, place, axis)).filter((corners) => corners !== null);
  });
  const [best = null] = found.sort(
    (one, other) => one.length - other.length || namesAt(other).length - namesAt(one).length,
  );
  return best;
}

/** The names that are measured at every corner. */
export function namesAt(corners: readonly Corner[]): string[] {
  const [first, ...others] = corners.map(({ point }) =>
    point.cells.filter(counts).map(({ contender }) => contender),
  );
  return (first ?? []).filter((name) => others.every((names) => names.includes(name)));
}

/** What was measured on an axis, ascending, each once. */
export function valuesOn(points: readonly MeasuredPoint[], axis: Axis): number[] {
  return [...new Set(points.map((point) => point[axis]))].sort((one, other) => one - other);
}

/** Connections are whole: 1 % of 333 is what was measured with 3 of them active. */
function isOn(point: MeasuredPoint, place: ScalePoint, axis: Axis): boolean {
  if (point[axis] === place[axis]) return true;
  if (axis !== "activePercent") return false;
  const wanted = Math.max(1, Math.round((point.connections * place.activePercent) / 100));
  return wanted === point.activeConnections;
}

/** The nearest below and above on one axis, linear in its logarithm. */
function between(points: readonly MeasuredPoint[], place: ScalePoint, axis: Axis): Corner[] | null {
  const others = axes.filter((other) => other !== axis);
  const line = points.filter((point) => others.every((other) => isOn(point, place, other)));
  const [values, wanted] = [valuesOn(line, axis), place[axis]];
  const below = values.findLast((value) => value < wanted);
  const above = values.find((value) => value > wanted);
  if (below === undefined || above === undefined || above / below > farthestApart) return null;
  const share = Math.log(wanted / below) / Math.log(above / below);
  const corner = (value: number, weight: number) => {
    const point = fullest(line.filter((one) => one[axis] === value));
    return point === null ? [] : [{ point, weight }];
  };
  return [...corner(below, 1 - share), ...corner(above, share)];
}

/** Picks among the measurements of one scale: the best founded, then the latest, which is first. */
function fullest(points: readonly MeasuredPoint[]): MeasuredPoint | null {
  const [first, ...others] = points;
  if (first === undefined) return null;
  return others.reduce((best, next) => (founded(next) > founded(best) ? next : best), first);
}

/** More blocks than an interval needs do not make up for contenders. */
function founded({ cells }: MeasuredPoint): number {
  return cells
    .filter(counts)
    .reduce((sum, { blocks }) => sum + Math.min(blocks, blocksForInterval), 0);
}
