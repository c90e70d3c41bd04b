// Where a question lies among what was measured: on a point, or between neighbours on each axis.
// Never outside of them: what a server does beyond the last measurement is not in the earlier ones.
// Enters: points and a question. Leaves: corners with weights, linear in the logarithms of the
// axes. Pure.

import { counts } from "./points.ts";
import type { Corner, MeasuredPoint, Question } from "./question.ts";

/** Neighbours further apart than this say nothing about what lies between: a factor. */
export const farthestApart = 16;

export type Axis = "connections" | "activePercent" | "payloadBytes" | "ratePerSecond";

const axes: readonly Axis[] = ["connections", "activePercent", "payloadBytes", "ratePerSecond"];

/**
 * The corners around a question; null where it is not enclosed. Without a rate asked for, those of
 * the rate that needs the least interpolation, and then has the most contenders.
 */
export function cornersOf(
  points: readonly MeasuredPoint[],
  question: Question,
): readonly Corner[] | null {
  const asked = question.ratePerSecond;
  const rates = asked !== null ? [asked] : valuesOn(points, "ratePerSecond");
  let best: readonly Corner[] | null = null;
  for (const ratePerSecond of rates) {
    const found = enclose(points, { ...question, ratePerSecond }, axes);
    if (found !== null && (best === null || isBetter(found, best))) best = found;
  }
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

type ScalePoint = Question & { readonly ratePerSecond: number };

function enclose(
  points: readonly MeasuredPoint[],
  place: ScalePoint,
  [axis, ...rest]: readonly Axis[],
): Corner[] | null {
  if (axis === undefined) return fullest(points);
  const at = (value: number) =>
    enclose(
      points.filter((point) => point[axis] === value),
      place,
      rest,
    );
  const values = valuesOn(points, axis);
  const wanted = place[axis];
  const exact = values.find((value) => value === wanted || isSameShare(points, place, axis, value));
  const onIt = exact === undefined ? null : at(exact);
  if (onIt !== null) return onIt;
  const below = nearest(values.filter((value) => value < wanted).reverse(), at);
  const above = nearest(
    values.filter((value) => value > wanted),
    at,
  );
  if (below === null || above === null || above.value / below.value > farthestApart) return null;
  const share = Math.log(wanted / below.value) / Math.log(above.value / below.value);
  return [...weighed(below.corners, 1 - share), ...weighed(above.corners, share)];
}

/** Connections are whole: 1 % of 333 is what was measured with 3 of them active. */
function isSameShare(
  points: readonly MeasuredPoint[],
  place: ScalePoint,
  axis: Axis,
  value: number,
): boolean {
  if (axis !== "activePercent") return false;
  return points
    .filter((point) => point.activePercent === value)
    .every(({ connections, activeConnections }) => {
      const wanted = Math.max(1, Math.round((connections * place.activePercent) / 100));
      return wanted === activeConnections;
    });
}

function nearest(values: readonly number[], at: (value: number) => Corner[] | null) {
  for (const value of values) {
    const corners = at(value);
    if (corners !== null) return { value, corners };
  }
  return null;
}

/** Of the same scale measured several times: the best founded, then the latest, which is first. */
function fullest(points: readonly MeasuredPoint[]): Corner[] | null {
  const [first, ...others] = points;
  if (first === undefined) return null;
  const point = others.reduce((best, next) => (weight(next) > weight(best) ? next : best), first);
  return [{ point, weight: 1 }];
}

/** From here on an interval can cover 95 %; more blocks do not make up for contenders. */
const enoughBlocks = 6;

function weight({ cells }: MeasuredPoint): number {
  return cells.filter(counts).reduce((sum, { blocks }) => sum + Math.min(blocks, enoughBlocks), 0);
}

function weighed(corners: readonly Corner[], share: number): Corner[] {
  return corners.map(({ point, weight }) => ({ point, weight: weight * share }));
}

function isBetter(found: readonly Corner[], than: readonly Corner[]): boolean {
  if (found.length !== than.length) return found.length < than.length;
  return namesAt(found).length > namesAt(than).length;
}
