// The run itself as a chart: when each round ran, and which rounds were discarded.

import type { Results, TimelineRound } from "../../model/results.ts";
import { count, duration, plainLine, plural } from "../format.ts";
import { markIn } from "../svg/palette.ts";
import type { RoundOutcome, TimedRound } from "../svg/timeline-chart.ts";
import { type Chart, type ChartTable, tableCount, titled } from "./chart.ts";

/** Above so many rounds the table has a row for each block of a scenario, not for each round. */
const fewRounds = 300;
/** Above so many, for each scenario. */
const manyRounds = 2000;
const fewBorders = 8;

export function timelineChart({ timeline = [], cells }: Results): Chart | undefined {
  if (timeline.length === 0) return undefined;
  const outcomes = timeline.map(outcomeOf);
  const of = (outcome: RoundOutcome) => outcomes.filter((one) => one === outcome).length;
  return {
    id: "rounds",
    ...titled("Every round, in the order in which they ran", ""),
    description:
      `A lane for each contender, a bar for each of ${plural(timeline.length, "round")}: ` +
      `${count(of("counted"))} count, ${count(of("partly"))} without some of their windows, ` +
      `${count(of("dropped"))} were discarded, ${count(of("failed"))} failed.`,
    spec: {
      kind: "timeline",
      axis: {
        kind: "linear",
        title: "since the run began",
        format: clock,
        unit: clockUnit(timeline),
      },
      rounds: timeline.map((round) => ({
        ...roundOf(round),
        mark: markIn(cells, round.contender),
      })),
      borders: bordersOf(timeline),
    },
    table: timeline.length <= fewRounds ? roundTable(timeline) : blockTable(timeline),
    missing: [],
  };
}

function outcomeOf({ windows, dropped, failed, counted }: TimelineRound): RoundOutcome {
  if (failed) return "failed";
  if (counted === false) return "dropped";
  // Earlier versions counted disturbed windows here although all of them were used.
  if (dropped === 0 || (counted === true && dropped === windows)) return "counted";
  return dropped < windows ? "partly" : "dropped";
}

const outcomeWords: Readonly<Record<RoundOutcome, string>> = {
  counted: "counts",
  partly: "counts in part",
  dropped: "discarded",
  failed: "failed",
};

function roundOf(round: TimelineRound): Omit<TimedRound, "mark"> {
  const outcome = outcomeOf(round);
  const reason = round.reason === null ? "" : `: ${plainLine(round.reason)}`;
  return {
    contender: round.contender,
    startSeconds: round.startedMs / 1000,
    endSeconds: (round.startedMs + round.durationMs) / 1000,
    outcome,
    tip:
      `${round.contender}, block ${round.block}, after ${clock(round.startedMs / 1000)}: ` +
      `${outcomeWords[outcome]}${reason}`,
  };
}

/** "45 s", "3:20 min". */
function clock(seconds: number): string {
  if (seconds < 100) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}

/** Ticks are whole minutes where the run took several. */
function clockUnit(timeline: readonly TimelineRound[]): number {
  const last = timeline.at(-1);
  return last !== undefined && last.startedMs + last.durationMs > 180_000 ? 60 : 1;
}

function scenarioOf(round: TimelineRound): string {
  const { workload, connections, activeConnections, payloadBytes, variant } = round;
  const { ratePerSecond = null } = round;
  const active = activeConnections === connections ? "" : `, ${count(activeConnections)} active`;
  const which = variant === undefined ? "" : `, ${plainLine(variant)}`;
  const payload = payloadBytes === 0 ? "" : `, ${count(payloadBytes)} B`;
  const rate = ratePerSecond === null ? "" : `, ${count(ratePerSecond)}/s`;
  return `${plainLine(workload)} ${count(connections)}${active}${payload}${rate}${which}`;
}

function bordersOf(timeline: readonly TimelineRound[]) {
  const borders: { seconds: number; label: string }[] = [];
  for (const round of timeline) {
    const label = scenarioOf(round);
    if (borders.at(-1)?.label !== label) borders.push({ seconds: round.startedMs / 1000, label });
  }
  // With many scenarios, only the workloads are distinguished.
  if (borders.length <= fewBorders) return borders;
  const workloads = new Map<string, { seconds: number; label: string }>();
  for (const { workload, startedMs } of timeline) {
    const label = plainLine(workload);
    if (!workloads.has(label)) workloads.set(label, { seconds: startedMs / 1000, label });
  }
  return [...workloads.values()];
}

function roundTable(timeline: readonly TimelineRound[]): ChartTable {
  return {
    columns: [
      "contender",
      "scenario",
      "block",
      "began after",
      "took",
      "windows",
      "discarded",
      "outcome",
    ],
    rows: timeline.map((round) => ({
      name: round.contender,
      values: [
        { text: scenarioOf(round) },
        tableCount(round.block),
        { text: clock(round.startedMs / 1000), value: round.startedMs / 1000 },
        { text: duration(round.durationMs * 1000), value: round.durationMs * 1000 },
        tableCount(round.windows),
        tableCount(round.dropped),
        { text: [outcomeWords[outcomeOf(round)], round.reason].filter(Boolean).join(": ") },
      ],
    })),
  };
}

function blockTable(timeline: readonly TimelineRound[]): ChartTable {
  const blocks = new Map<string, TimelineRound[]>();
  for (const round of timeline) {
    const scenario = scenarioOf(round);
    const name = timeline.length > manyRounds ? scenario : `${scenario}, block ${round.block}`;
    const rounds = blocks.get(name);
    if (rounds === undefined) blocks.set(name, [round]);
    else rounds.push(round);
  }
  return {
    columns: [
      timeline.length > manyRounds ? "scenario" : "block",
      "began after",
      "rounds",
      "windows",
      "discarded windows",
      "failed rounds",
    ],
    rows: [...blocks].map(([name, rounds]) => ({
      name,
      values: [
        {
          text: clock((rounds[0]?.startedMs ?? 0) / 1000),
          value: (rounds[0]?.startedMs ?? 0) / 1000,
        },
        tableCount(rounds.length),
        tableCount(rounds.reduce((sum, round) => sum + round.windows, 0)),
        tableCount(rounds.reduce((sum, round) => sum + round.dropped, 0)),
        tableCount(rounds.filter(({ failed }) => failed).length),
      ],
    })),
  };
}
