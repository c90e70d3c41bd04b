// Why there is no answer, and which run would measure one. Pure.

import { blocksForInterval } from "../statistics/bootstrap.ts";
import { axes, valuesOn } from "./corners.ts";
import type {
  AdviceRefusal,
  MeasuredPoint,
  OutsideAxis,
  Question,
  RefusalCause,
  ScalePoint,
} from "./question.ts";

export function refuse(
  points: readonly MeasuredPoint[],
  question: Question,
): Omit<AdviceRefusal, "elsewhere" | "nearest"> {
  return {
    kind: "refusal",
    question,
    cause: causeOf(points, question),
    measuredBy: optionsOf(question),
  };
}

/** The least share that active-fraction has. */
const leastPercent = 0.1;

/** Options of `run` that measure this, or the shares around it, at the rate asked for. */
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

function causeOf(points: readonly MeasuredPoint[], question: Question): RefusalCause {
  if (points.length === 0) return { code: "nothing-measured" };
  const outside = axes.flatMap((axis): OutsideAxis[] => {
    const wanted = question[axis];
    const values = valuesOn(points, axis);
    const [least = 0, most = 0] = [values[0], values.at(-1)];
    if (wanted === null || (wanted >= least && wanted <= most)) return [];
    const above = wanted > most;
    return [{ axis, wanted, end: above ? "most" : "least", bound: above ? most : least }];
  });
  if (outside.length > 0) return { code: "outside", axes: outside };
  return { code: "not-between", nearest: nearestScales(points, question).slice(0, 2).map(scaleOf) };
}

export function scaleOf({
  connections,
  activePercent,
  payloadBytes,
  ratePerSecond,
}: ScalePoint): ScalePoint {
  return { connections, activePercent, payloadBytes, ratePerSecond };
}

export function nearestScales(
  points: readonly MeasuredPoint[],
  question: Question,
): MeasuredPoint[] {
  const away = (point: MeasuredPoint) =>
    axes.reduce((sum, axis) => {
      const wanted = question[axis];
      return sum + (wanted === null ? 0 : Math.abs(Math.log(point[axis] / wanted)));
    }, 0);
  return [...points].sort((one, other) => away(one) - away(other));
}
