// Scales, and why one has no answer or a contender no rank, in words.

import type { Results } from "../model/results.ts";
import { count, enumerate, plainLine, plural } from "../report/format.ts";
import { farthestApart } from "./corners.ts";
import { sources } from "./points.ts";
import type {
  AdviceRefusal,
  Axis,
  ExcludedContender,
  RefusalCause,
  ScalePoint,
} from "./question.ts";

const axisWords: Readonly<Record<Axis, (value: number) => string>> = {
  connections: (value) => `${count(value)} connections`,
  activePercent: (value) => `${shareText(value)} % of them active`,
  payloadBytes: (value) => `${count(value)}-byte messages`,
  ratePerSecond: (value) => `${count(value)} messages/s`,
};

export function refusalText(cause: RefusalCause): string {
  if (cause.code === "nothing-measured") {
    return "No measurement on this machine can answer this.";
  }
  if (cause.code === "outside") {
    const parts = cause.axes.map(({ axis, wanted, end, bound }) => {
      const say = axisWords[axis];
      return `${say(wanted)} (measured: at ${end} ${say(bound)})`;
    });
    const missing = `no CPU figures at a matched rate (${sources.join(", ")})`;
    return `${missing} for ${enumerate(parts)}. Results are not extrapolated.`;
  }
  return (
    "This scale is not between two measured ones that differ in nothing else and by a " +
    `factor of ${farthestApart} at most. Nearest: ${cause.nearest.map(scaleText).join("; ")}.`
  );
}

/** Where so many connections were measured for other figures; "" if nowhere. */
export function elsewhereText({ elsewhere, question }: AdviceRefusal): string {
  if (elsewhere.length === 0) return "";
  const places = elsewhere.map((one) => `${one.workload}, in ${runText(one)}`);
  return `Measured with ${plural(question.connections, "connection")}: ${places.join("; ")}.`;
}

/** "a run of 2026-11-30 (full)". */
export function runText({ profile, startedAt }: Pick<Results, "profile" | "startedAt">): string {
  return `a run of ${startedAt.slice(0, 10)} (${plainLine(profile)})`;
}

export function excludedText({ cause }: ExcludedContender): string {
  if (cause.code === "partly-measured") {
    return "not measured at every scale that the answer lies between";
  }
  return `${cause.status}: ${plainLine(cause.reason ?? "") || "no CPU figure"}`;
}

/** "1,000 connections, 1 % active, 64-byte messages, 10,000 messages/s". */
export function scaleText({ connections, activePercent, ...scale }: ScalePoint): string {
  const active = activePercent === 100 ? "all active" : `${shareText(activePercent)} % active`;
  return [
    plural(connections, "connection"),
    ...(connections === 1 ? [] : [active]),
    axisWords.payloadBytes(scale.payloadBytes),
    axisWords.ratePerSecond(scale.ratePerSecond),
  ].join(", ");
}

/** A share as people write it: 0.1, 1, 100. */
export function shareText(percent: number): string {
  return String(Number(percent.toPrecision(3)));
}
