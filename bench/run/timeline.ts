// What happened when: one row per round for the results' timeline. Pure.

import { ruleWords } from "../model/reasons.ts";
import type { TimelineRound } from "../model/results.ts";
import { type PartOutcome, referenceRounds } from "./cells.ts";
import { countingBlocks, type Judged, judgedRounds, pairBlocks } from "./judge.ts";
import type { Part, Plan } from "./plan.ts";

/** @param runStartedMs on the clock of the rounds. */
export function timelineOf(
  plan: Plan,
  part: Part,
  { outcome, runStartedMs }: { readonly outcome: PartOutcome; readonly runStartedMs: number },
): TimelineRound[] {
  const rows = part.scenarios.flatMap((scenario, scenarioIndex) => {
    const judgedOf = (name: string) => {
      const contender = part.contenders.find((row) => row.name === name);
      return contender === undefined
        ? []
        : judgedRounds(part, outcome.rounds, { scenarioIndex, contender });
    };
    const { comparesToReference } = scenario.workload;
    const place = { outcome, scenarioIndex };
    const reference = comparesToReference ? referenceRounds(plan, part, place) : null;
    return part.contenders.flatMap(({ name }) => {
      const judged = judgedOf(name);
      const blocks = outcome.planned(scenarioIndex, name);
      const paired = countingBlocks(pairBlocks(judged, reference), blocks);
      const counting = new Map(paired.map(({ own }) => [own.round.block, own.windows.length]));
      return judged.map((row) => ({
        ...rowOf(row, runStartedMs),
        workload: scenario.workload.name,
        ratePerSecond: scenario.ratePerSecond,
        ...(scenario.variant === null ? {} : { variant: scenario.variant }),
        dropped: row.round.windows.length - (counting.get(row.round.block) ?? 0),
        counted: counting.has(row.round.block),
      }));
    });
  });
  return rows.sort((one, other) => one.startedMs - other.startedMs);
}

function rowOf(
  { round, broken }: Judged,
  runStartedMs: number,
): Omit<TimelineRound, "workload" | "dropped" | "counted"> {
  const { load, failure, unavailable } = round;
  const rules = [...new Set(broken.flat())];
  return {
    contender: round.contender,
    connections: load.connections,
    activeConnections: load.activeConnections,
    payloadBytes: load.payloadBytes,
    block: round.block + 1,
    startedMs: Math.round(round.startedMs - runStartedMs),
    durationMs: Math.round(round.durationMs),
    windows: round.windows.length,
    reason: failure ?? unavailable ?? (rules.map((rule) => ruleWords[rule]).join("; ") || null),
    rules,
    failed: failure !== null,
  };
}
