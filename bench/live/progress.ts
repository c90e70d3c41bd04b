// How far a run is: on a terminal one line that is rewritten in place, elsewhere a line per round.

import { widthOf } from "../host/output.ts";
import { clock, shortCount } from "../report/format.ts";
import { wrap } from "../report/text-table.ts";
import type { Step } from "../run/blocks.ts";
import type { Remaining } from "../run/pace.ts";
import type { Plan } from "../run/plan.ts";
import type { Round } from "../run/round.ts";
import type { RunProgress } from "../run/run.ts";
import { divide, secondsOf, total } from "../run/window-sums.ts";
import { RunState } from "./run-state.ts";

/** Standard error, or a stand-in for it. */
interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const eraseLine = "\r\u001b[K";

export class ProgressLine {
  readonly #screen: Screen;
  readonly #plan: Plan;
  readonly #inPlace: boolean;
  readonly #state: RunState;
  readonly #timer: NodeJS.Timeout | undefined;
  #rate = "";
  #roundStartedMs = performance.now();

  /** @param inPlace whether the line may be rewritten: a terminal that is no CI log. */
  constructor(screen: Screen, plan: Plan, inPlace: boolean) {
    this.#screen = screen;
    this.#plan = plan;
    this.#inPlace = inPlace;
    this.#state = new RunState(plan);
    // Once a second, and only if it shows: we share the CPUs with those that are measured.
    if (inPlace) this.#timer = setInterval(() => this.#draw(), 1000).unref();
  }

  show(progress: RunProgress): void {
    const notes = this.#state.hear(progress);
    if (progress.event === "round-started") {
      this.#roundStartedMs = performance.now();
      this.#draw();
    } else if (progress.event === "round-ended") {
      this.#rate = rateOf(progress.round);
      this.#endRound(progress.step, progress.round);
    }
    for (const text of notes) this.#noteWrapped(text);
  }

  /** A line that stays, above the one that is rewritten. */
  note(text: string): void {
    this.#screen.write(`${this.#inPlace ? eraseLine : ""}${text}\n`);
    this.#draw();
  }

  /** Takes the line away. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#inPlace) this.#screen.write(eraseLine);
  }

  /** In a log a line stays whole. */
  #noteWrapped(text: string): void {
    const lines = this.#inPlace ? wrap(text, this.#width(), "  ") : [text];
    for (const line of lines) this.note(line);
  }

  #endRound(step: Step, round: Round): void {
    const place = this.#place(step);
    const problem = round.failure ?? round.unavailable;
    if (problem !== null) {
      const how = round.failure === null ? "unavailable" : "failed";
      this.#noteWrapped(`${this.#count()} ${place} ${how}: ${cut(problem, longestReason)}`);
    } else if (this.#inPlace) {
      this.#draw();
    } else {
      const seconds = ((performance.now() - this.#roundStartedMs) / 1000).toFixed(1);
      const left = remainingText(this.#state.pace.remaining());
      const disturbed = this.#state.disturbances.text();
      const doubt = disturbed === "" ? "" : `; ${disturbed}`;
      this.note(`${this.#count()} ${place} ${cost(round)}${seconds} s; ${left}${doubt}`);
    }
  }

  #draw(): void {
    if (!this.#inPlace) return;
    const width = this.#width();
    const longest = Math.max(...this.#plan.contenders.map(({ name }) => name.length));
    const { pace, step, disturbances } = this.#state;
    const doing = step === null ? "starting" : this.#place(step, this.#state.runningText(step));
    const place = doing.padEnd("block 1/1 ".length + longest);
    const time = `${clock(pace.elapsedSeconds)}, ${remainingText(pace.remaining())}`;
    const line = `${this.#count()} ${place}  ${time}`;
    // What is least missed is left out first if there is no room: the bar, then the rate.
    let fuller = line;
    for (const part of [disturbances.text(), this.#rate]) {
      if (part !== "" && fuller.length + part.length + 2 <= width) fuller += `; ${part}`;
    }
    const bar = progressBar(pace.done / Math.max(1, pace.total), width - fuller.length);
    this.#screen.write(eraseLine + `${bar}${fuller}`.slice(0, width));
  }

  /** The last column stays free: a terminal that has filled it may go to the next line. */
  #width(): number {
    return widthOf(this.#screen, 80) - 1;
  }

  #count(): string {
    const rounds = String(this.#state.pace.total);
    return `[${String(this.#state.pace.done).padStart(rounds.length)}/${rounds}]`;
  }

  #place({ scenario, block, blocks, contender }: Step, running = contender): string {
    const workload = this.#plan.parts.length > 1 ? `${scenario.workload.name} ` : "";
    return `${workload}block ${block}/${blocks} ${running}`;
  }
}

/** "about 1:05 left"; "at least 1:05 left"; "time left unknown". */
export function remainingText({ seconds, atLeast }: Remaining): string {
  if (seconds === null) return "time left unknown";
  return `${atLeast ? "at least" : "about"} ${clock(seconds)} left`;
}

/** "20.0k/s", of the round that has ended last; nothing if it has no messages. */
function rateOf({ windows }: Round): string {
  const rate = divide(total(windows, "completedMessages"), secondsOf(windows));
  return rate ? `${shortCount(rate)}/s` : "";
}

/** "9.71 µs per message, "; empty if the server's CPU time is not available on this platform. */
function cost({ windows }: Round): string {
  const ns = divide(total(windows, "serverCpuNs"), total(windows, "completedMessages"));
  return ns ? `${(ns / 1000).toFixed(2)} µs per message, ` : "";
}

/** The table and the report have the whole of it. */
const longestReason = 200;

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

const longestBar = 30;
const shortestBar = 6;

/** "[####------] ", or nothing if there is no room for one. */
function progressBar(share: number, room: number): string {
  const width = Math.min(longestBar, room - "[] ".length);
  if (width < shortestBar) return "";
  const full = Math.round(Math.min(1, share) * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}] `;
}
