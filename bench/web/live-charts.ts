// The four charts of the live page, drawn by the axes, scales and formats of the report's charts.

import type { LiveChartName, LiveRound, LiveSample } from "../model/live.ts";
import {
  absent,
  bytes,
  clock,
  count,
  percent,
  shortCount,
  shortDuration,
} from "../report/format.ts";
import { element, join, type Markup, coordinate as px } from "../report/markup.ts";
import { horizontalAxis, verticalAxis } from "../report/svg/drawing.ts";
import { makeScale, position, type Scale } from "../report/svg/scale.ts";

/** How each chart writes its figures. */
export const formats: Readonly<Record<LiveChartName, (value: number) => string>> = {
  cpu: (value) => `${value > 0 && value < 10 ? percent(value) : count(value)} %`,
  memory: bytes,
  throughput: (value) => (value < 1e4 ? count(value) : shortCount(value)),
  latency: shortDuration,
};

const spanSeconds = 60;
const leastSeconds = 15;
const mebibyte = 2 ** 20;
/** A trace breaks if nothing came for longer; servers in turn are read once per second. */
const gapSeconds = 2.5;

/** A contender's mark, as the legend of the page has it. */
interface Mark {
  readonly colour: string;
  readonly d: string;
  readonly className: string;
}

/** An empty chart of the page's size. */
interface Frame {
  readonly svg: SVGSVGElement;
  readonly x: Scale;
  readonly y: Scale;
  readonly axes: readonly Markup[];
}

interface FrameOptions {
  readonly from: number;
  readonly to: number;
  readonly kind: Scale["kind"];
  /** What must be within it. */
  readonly values: readonly number[];
  readonly unit?: number;
}

export class Charts {
  readonly #marks = new Map<string, Mark>();

  /** @param items the legend's, by contender. */
  constructor(items: ReadonlyMap<string, Element>) {
    for (const [name, item] of items) {
      const path = item.querySelector("path");
      const colour = item.getAttribute("data-colour") ?? "muted";
      const [d, className] = [path?.getAttribute("d") ?? "", path?.getAttribute("class") ?? ""];
      this.#marks.set(name, { colour, d, className });
    }
  }

  /** A line per server, in its colour, over the last minute; the figure is of all that run now. */
  drawTrace(
    id: "cpu" | "memory",
    samples: readonly LiveSample[],
    { now, running }: { readonly now: number; readonly running: readonly string[] },
  ): void {
    const from = Math.max(0, now - spanSeconds);
    const seen = samples.filter(({ at }) => at >= from);
    const values = seen.flatMap((sample) => sample[id] ?? []);
    const least = id === "memory" ? mebibyte : 20;
    const unit = id === "memory" ? mebibyte : 1;
    const to = Math.max(from + leastSeconds, now);
    const frame = frameOf(id, { from, to, kind: "linear", values: [least, ...values], unit });
    const pieces = continuous(seen, id).map((piece) => this.#trace(piece, id, frame));
    show(id, frame, pieces, totalOf(seen, id, running));
  }

  /** A point per round at its rate, and a stem from its p50 to a point at its p99. */
  drawRounds(rounds: readonly LiveRound[], now: number): void {
    const time = { from: 0, to: Math.max(leastSeconds, now) };
    const rates = rounds.flatMap(({ throughput: rate, ...round }) =>
      rate === null ? [] : [{ ...round, rate }],
    );
    // From there on the steps of the axis are whole messages.
    const values = [20, ...rates.map(({ rate }) => rate)];
    const above = frameOf("throughput", { ...time, kind: "linear", values });
    const points = rates.map(({ contender, at, rate }) => this.#point(contender, at, rate, above));
    show("throughput", above, points, rates.at(-1)?.rate);

    const timed = rounds.flatMap(({ p50, p99, contender, at }) =>
      p50 === null || p99 === null ? [] : [{ p50, p99, contender, at }],
    );
    const latencies = [100, 1000, ...timed.flatMap(({ p50, p99 }) => [p50, p99])];
    const below = frameOf("latency", { ...time, kind: "log", values: latencies });
    const stems = timed.flatMap(({ contender, at, p50, p99 }) => {
      const colour = this.#marks.get(contender)?.colour ?? "muted";
      const [x, y] = [below.x, below.y];
      const d = `M${px(position(x, at))} ${px(position(y, p50))}V${px(position(y, p99))}`;
      const stem = element("path", { class: `stem s-${colour}`, d });
      return [stem, this.#point(contender, at, p99, below)];
    });
    show("latency", below, stems, timed.at(-1)?.p99);
  }

  #trace(piece: readonly LiveSample[], id: "cpu" | "memory", { x, y }: Frame): Markup {
    const places = piece.map((sample) => {
      return `${px(position(x, sample.at))} ${px(position(y, sample[id] ?? 0))}`;
    });
    const colour = this.#marks.get(piece[0]?.contender ?? "")?.colour ?? "muted";
    // A lone point has no length of its own.
    return element("path", { class: `trace s-${colour}`, d: `M${places.join("L")}h.1` });
  }

  #point(contender: string, at: number, value: number, { x, y }: Frame): Markup | null {
    const mark = this.#marks.get(contender);
    if (mark === undefined) return null;
    const place = `translate(${px(position(x, at))} ${px(position(y, value))})`;
    return element("path", { d: mark.d, class: mark.className, transform: place });
  }
}

/** Runs of samples of one server without a gap. */
function continuous(samples: readonly LiveSample[], id: "cpu" | "memory"): LiveSample[][] {
  const pieces: LiveSample[][] = [];
  const lasts = new Map<string, LiveSample[]>();
  for (const sample of samples) {
    const piece = lasts.get(sample.contender) ?? [];
    const last = piece.at(-1);
    if (sample[id] === null) lasts.delete(sample.contender);
    else if (last !== undefined && sample.at - last.at <= gapSeconds) piece.push(sample);
    else {
      pieces.push([sample]);
      lasts.set(sample.contender, pieces.at(-1) ?? []);
    }
  }
  return pieces;
}

/** What the running servers use together, between rounds the last one; null if it is not known. */
function totalOf(
  samples: readonly LiveSample[],
  id: "cpu" | "memory",
  running: readonly string[],
): number | null {
  const names = running.length > 0 ? running : samples.slice(-1).map((last) => last.contender);
  const known = names.flatMap((name) => {
    return samples.findLast(({ contender }) => contender === name)?.[id] ?? [];
  });
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

function frameOf(id: LiveChartName, { from, to, kind, values, unit = 1 }: FrameOptions): Frame {
  const svg = document.querySelector<SVGSVGElement>(`#${id} svg`);
  if (svg === null) throw new Error(`no chart ${id} on this page`);
  const width = svg.clientWidth || 400;
  const height = svg.clientHeight || 180;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const [left, right, top, bottom] = [58, width - 8, 8, height - 22];
  const x: Scale = { kind: "linear", low: from, high: to, start: left, end: right };
  const y = makeScale({ kind, values, start: bottom, end: top });
  const format = formats[id];
  return {
    svg,
    x,
    y,
    axes: [
      ...verticalAxis(y, { left, right }, { kind: "linear", title: "", format, unit }),
      ...horizontalAxis(
        x,
        { top: bottom, bottom, width },
        { kind: "linear", title: "", format: clock, at: [from, to] },
      ),
    ],
  };
}

/** Every piece is made by element(), which escapes what it is given. */
function show(
  id: LiveChartName,
  { svg, axes }: Frame,
  pieces: readonly (Markup | null)[],
  current: number | null | undefined,
): void {
  svg.innerHTML = join([...axes, ...pieces]);
  const words = current === null || current === undefined ? absent : formats[id](current);
  document.getElementById(`${id}-now`)?.replaceChildren(words);
  const title = document.querySelector(`#${id} h2`)?.textContent ?? id;
  svg.setAttribute("aria-label", `${title}: ${words}`);
}
