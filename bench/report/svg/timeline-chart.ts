// The chart of the run itself: a lane per contender, a bar per round, whose fill and shape show
// whether it counts. Many rounds share one path per lane, which keeps the page small.

import { element, type Markup, coordinate as px, text } from "../markup.ts";
import { type AxisSpec, type Drawing, horizontalAxis, legend, narrowBelow } from "./drawing.ts";
import { contenderGroup, label, straight, textWidth } from "./marks.ts";
import type { ContenderMark } from "./palette.ts";
import { makeScale, position, type Scale } from "./scale.ts";

/** What became of a round: `partly` lost some windows and counts with the others. */
export type RoundOutcome = "counted" | "partly" | "dropped" | "failed";

export interface TimedRound {
  readonly contender: string;
  readonly mark: ContenderMark;
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly outcome: RoundOutcome;
  readonly tip: string;
}

export interface TimelineChart {
  readonly kind: "timeline";
  readonly axis: AxisSpec;
  readonly rounds: readonly TimedRound[];
  /** Where a new scenario begins. */
  readonly borders: readonly { readonly seconds: number; readonly label: string }[];
}

/** Above so many, rounds have no words of their own. */
const fewRounds = 500;

/** @param width in pixels, of the whole drawing. */
export function drawTimeline(chart: TimelineChart, width: number): Drawing {
  const narrow = width < narrowBelow;
  const contenders = [...new Set(chart.rounds.map(({ contender }) => contender))];
  const names = Math.max(0, ...contenders.map((name) => textWidth(name))) + 16;
  const keys = legend(keysOf(chart.rounds), 0, width);
  const top = keys.height + (chart.borders.length > 1 ? 24 : 6);
  const laneHeight = narrow ? 42 : 28;
  const bottom = top + contenders.length * laneHeight + 4;
  const scale = makeScale({
    kind: "linear",
    values: chart.rounds.map(({ endSeconds }) => endSeconds),
    start: narrow ? 4 : names,
    end: width - 14,
    padding: 0.01,
  });
  return {
    width,
    height: bottom + 48,
    body: [
      ...keys.marks,
      ...horizontalAxis(scale, { top, bottom, width }, chart.axis),
      ...bordersOf(chart, scale, { top, bottom }),
      ...contenders.map((contender, index) => {
        const from = top + index * laneHeight;
        const y = from + (narrow ? 30 : laneHeight / 2);
        const rounds = chart.rounds.filter((round) => round.contender === contender);
        return contenderGroup(contender, null, [
          label({ x: 0, y: narrow ? from + 10 : y }, contender),
          ...lane(rounds, { y, scale, apart: chart.rounds.length <= fewRounds }),
        ]);
      }),
    ],
  };
}

const outcomes: readonly { readonly outcome: RoundOutcome; readonly text: string }[] = [
  { outcome: "counted", text: "counts" },
  { outcome: "partly", text: "counts, without its disturbed windows" },
  { outcome: "dropped", text: "discarded" },
  { outcome: "failed", text: "failed" },
];

/** Only what occurs is explained. */
function keysOf(rounds: readonly TimedRound[]) {
  return outcomes
    .filter(({ outcome }) => rounds.some((round) => round.outcome === outcome))
    .map(({ outcome, text: words }) => ({
      filling: "solid" as const,
      text: outcome === "failed" ? `${words} (✕)` : words,
      bar: barOf[outcome],
    }));
}

const barOf = { counted: "full", partly: "low", dropped: "open", failed: "open" } as const;

interface Lane {
  readonly y: number;
  readonly scale: Scale;
  /** Each round an element of its own, with its words. */
  readonly apart: boolean;
}

function lane(rounds: readonly TimedRound[], { y, scale, apart }: Lane): Markup[] {
  if (apart) {
    return rounds.map((round) =>
      element(
        "path",
        { d: shapeOf(round, y, scale), class: classOf(round) },
        element("title", {}, text(round.tip)),
      ),
    );
  }
  return outcomes.flatMap(({ outcome }) => {
    const same = onePerPixel(
      rounds.filter((round) => round.outcome === outcome),
      scale,
    );
    const [first] = same;
    if (first === undefined) return [];
    const d = same.map((round) => shapeOf(round, y, scale)).join("");
    return [element("path", { d, class: classOf(first) })];
  });
}

/** What would be painted over what is there already is left out. */
function onePerPixel(rounds: readonly TimedRound[], scale: Scale): TimedRound[] {
  const at = ({ startSeconds }: TimedRound) => Math.floor(position(scale, startSeconds));
  return rounds.filter((round, index) => {
    const before = rounds[index - 1];
    return before === undefined || at(before) !== at(round);
  });
}

function shapeOf({ startSeconds, endSeconds, outcome }: TimedRound, y: number, scale: Scale) {
  const left = position(scale, startSeconds);
  const width = Math.max(position(scale, endSeconds) - left - 1, 1);
  if (outcome === "failed") {
    const x = left + width / 2;
    return `M${px(x - 5)} ${px(y - 5)}l10 10M${px(x + 5)} ${px(y - 5)}l-10 10`;
  }
  // A lower bar for fewer windows: a lighter one would be hard to see where rounds are many.
  const height = outcome === "partly" ? 7 : 14;
  return `M${px(left)} ${px(y - height / 2)}h${px(width)}v${height}h${px(-width)}z`;
}

function classOf({ mark: { colour }, outcome }: TimedRound): string {
  if (outcome === "failed") return "w s-bad";
  if (outcome === "dropped") return `f-surface w-thin s-${colour}`;
  return `f-${colour}`;
}

function bordersOf({ borders }: TimelineChart, scale: Scale, box: { top: number; bottom: number }) {
  if (borders.length < 2) return [];
  let free = Number.NEGATIVE_INFINITY;
  return borders.map(({ seconds, label: words }) => {
    const x = position(scale, seconds);
    const fits = x >= free && x + textWidth(words, 11.5) <= scale.end + 10;
    if (fits) free = x + textWidth(words, 11.5) + 8;
    return element(
      "g",
      {},
      straight({ x, y: box.top - 6 }, { x, y: box.bottom }, "axis"),
      fits ? label({ x: x + 2, y: box.top - 14 }, words, { style: "tick" }) : null,
    );
  });
}
