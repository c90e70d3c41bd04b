// Why there is no answer, and which run would measure one. Pure.

import { count, plural } from "../report/format.ts";
import { blocksForInterval } from "../statistics/bootstrap.ts";
import { type Axis, farthestApart, valuesOn } from "./corners.ts";
import type { AdviceRefusal, MeasuredPoint, Question } from "./question.ts";

export function refuse(
  points: readonly MeasuredPoint[],
  question: Question,
): Omit<AdviceRefusal, "nearest"> {
  return {
    kind: "refusal",
    question,
    reason: reasonOf(points, question),
    measuredBy: optionsOf(question),
  };
}

/** The least share that active-fraction has. */
const leastPercent = 0.1;

/**
 * Options of `run` that measure exactly this, or the shares around it. Its own rate unless one was
 * asked for.
 */
function optionsOf(question: Question): string[] | null {
  const { connections, activePercent, payloadBytes, ratePerSecond } = question;
  if (activePercent < leastPercent) return null;
  const workload = activePercent === 100 ? "echo-rate" : "active-fraction";
  return [
    ...["--workloads", workload, "--connections", String(connections)],
    ...["--payload", String(payloadBytes)],
    ...(ratePerSecond === null ? [] : ["--rate", String(ratePerSecond)]),
    // Fewer would give an answer of low confidence, and the same advice again.
    ...["--blocks", String(blocksForInterval)],
  ];
}

function reasonOf(points: readonly MeasuredPoint[], question: Question): string {
  if (points.length === 0) return "No measurement on this machine can answer this.";
  const outside = axisRows.flatMap(({ axis, say }) => {
    const wanted = question[axis];
    const values = valuesOn(points, axis);
    const [least = 0, most = 0] = [values[0], values.at(-1)];
    if (wanted === null || (wanted >= least && wanted <= most)) return [];
    const end = wanted > most ? `at most ${say(most)}` : `at least ${say(least)}`;
    return [`${say(wanted)} were not measured: ${end}`];
  });
  if (outside.length > 0) return `${outside.join("; ")}. There is no extrapolation.`;
  const [first, second] = nearestScales(points, question);
  const known = [first, second].filter((point) => point !== undefined).map(scaleOf);
  return (
    "This scale is not between two measured ones that differ in nothing else and by a " +
    `factor of ${farthestApart} at most. Nearest: ${known.join("; ")}.`
  );
}

interface AxisRow {
  readonly axis: Axis;
  readonly say: (value: number) => string;
}

const axisRows: readonly AxisRow[] = [
  { axis: "connections", say: (value) => `${count(value)} connections` },
  { axis: "activePercent", say: (value) => `${shareText(value)} % of them active` },
  { axis: "payloadBytes", say: (value) => `${count(value)}-byte messages` },
  { axis: "ratePerSecond", say: (value) => `${count(value)} messages/s` },
];

/** A share as people write it: 0.1, 1, 100. */
export function shareText(percent: number): string {
  return String(Number(percent.toPrecision(3)));
}

/** "1,000 connections, 1 % active, 64-byte messages, 10,000 messages/s". */
export function scaleOf(point: Omit<MeasuredPoint, "cells" | "run" | "activeConnections">): string {
  const { connections, activePercent, payloadBytes, ratePerSecond } = point;
  const active = activePercent === 100 ? "all active" : `${shareText(activePercent)} % active`;
  return [
    plural(connections, "connection"),
    ...(connections === 1 ? [] : [active]),
    `${count(payloadBytes)}-byte messages`,
    `${count(ratePerSecond)} messages/s`,
  ].join(", ");
}

export function nearestScales(
  points: readonly MeasuredPoint[],
  question: Question,
): MeasuredPoint[] {
  const away = (point: MeasuredPoint) =>
    axisRows.reduce((sum, { axis }) => {
      const wanted = question[axis];
      return sum + (wanted === null ? 0 : Math.abs(Math.log(point[axis] / wanted)));
    }, 0);
  return [...points].sort((one, other) => away(one) - away(other));
}
