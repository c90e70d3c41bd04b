// The control of a gate on a server that is not the suite's: in each block the base's server once
// more, with a program that uses up a share of what the server uses. It needs no source, and must
// be caught. Pure.

import type { Control } from "./controls.ts";
import { gateMetric } from "./metrics.ts";
import { endingFailure, headFailure, type PairCourse, pairsOf } from "./pairs.ts";
import type { LoadRow } from "./profiles.ts";
import { findAll } from "./rule.ts";

/** One control per contender that was compared; none if the row plants nothing. */
export function plantedCostControls(
  { pairs: planned, plantedPercent }: LoadRow,
  courses: readonly PairCourse[],
): Control[] {
  if (plantedPercent == null) return [];
  return (
    courses
      // The blocks of a head that fails may end early, and its failure needs no statistics.
      .filter(({ failures }) => headFailure([failures]) === null)
      .map((course) => plantedCostControl(course, { planned, percent: plantedPercent }))
  );
}

function plantedCostControl(
  course: PairCourse,
  { planned, percent }: { readonly planned: number; readonly percent: number },
): Control {
  const { contender, failures } = course;
  const metric = gateMetric("serverCpuPerMessage");
  const pairs = pairsOf(course, metric.name, "planted");
  const [finding] = findAll([{ ...metric, id: contender, planned, pairs }]);
  const failure = endingFailure(failures.planted);
  const seen = finding?.cause ?? null;
  return {
    code: "planted-cost",
    contender,
    percent,
    held: finding?.word === "suspected",
    ratio: finding?.comparison?.ratio ?? null,
    cause: failure === undefined ? seen : { code: "said", text: failure.text },
  };
}
