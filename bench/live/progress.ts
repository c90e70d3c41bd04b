// How far a run is: on a terminal one line that is rewritten in place, elsewhere a line a round.

import { causeText } from "../model/reasons.ts";
import { clock, shortCount } from "../report/format.ts";
import { wrap } from "../report/text-table.ts";
import type { Step } from "../run/blocks.ts";
import type { Refusal } from "../run/judge.ts";
import { Pace, type Remaining } from "../run/pace.ts";
import type { Plan } from "../run/plan.ts";
import type { Round } from "../run/round.ts";
import type { RunProgress } from "../run/run.ts";
import { divide, secondsOf, total } from "../run/window-sums.ts";
import { Disturbances } from "./disturbances.ts";
import { RunningRounds } from "./running-rounds.ts";

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
  readonly #pace: Pace;
  readonly #disturbances: Disturbances;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #running = new RunningRounds();
  #step: Step | null = null;
  #rate = "";
  #roundStartedMs = performance.now();
  readonly #refused = new Set<string>();

  /** @param inPlace whether the line may be rewritten: a terminal that is no CI log. */
  constructor(screen: Screen, plan: Plan, inPlace: boolean) {
    this.#screen = screen;
    this.#plan = plan;
    this.#inPlace = inPlace;
    this.#pace = new Pace(plan);
    this.#disturbances = new Disturbances(plan);
    // Once a second, and only if it shows: we share the CPUs with those that are measured.
    if (inPlace) this.#timer = setInterval(() => this.#draw(), 1000).unref();
  }

  show(progress: RunProgress): void {
    this.#pace.hear(progress);
    this.#running.hear(progress);
    const warning = this.#disturbances.hear(progress);
    switch (progress.event) {
      case "refused":
        this.#refuse(progress.contenders, progress.refusal);
        break;
      case "rounds-planned":
        break;
      case "round-started":
        this.#roundStartedMs = performance.now();
        this.#step = progress.step;
        this.#draw();
        break;
      case "round-ended":
        this.#rate = rateOf(progress.round);
        this.#endRound(progress.step, progress.round);
        break;
      default:
        this.#noteWrapped(noteOf(progress) ?? "");
        break;
    }
    if (warning !== null) this.#noteWrapped(warning);
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

  /** In full, what lifts a limit is at the end of its reason; once, however many parts it meets. */
  #refuse(contenders: readonly string[], { status, cause }: Refusal): void {
    const text = `${status}: ${contenders.join(", ")}: ${causeText(cause)}`;
    if (this.#refused.has(text)) return;
    this.#refused.add(text);
    this.#noteWrapped(text);
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
      const left = remainingText(this.#pace.remaining());
      const disturbed = this.#disturbances.text();
      const doubt = disturbed === "" ? "" : `; ${disturbed}`;
      this.note(`${this.#count()} ${place} ${cost(round)}${seconds} s; ${left}${doubt}`);
    }
  }

  #draw(): void {
    if (!this.#inPlace) return;
    const width = this.#width();
    const longest = Math.max(...this.#plan.contenders.map(({ name }) => name.length));
    const doing = this.#step === null ? "starting" : this.#place(this.#step, this.#running.text());
    const place = doing.padEnd("block 1/1 ".length + longest);
    const time = `${clock(this.#pace.elapsedSeconds)}, ${remainingText(this.#pace.remaining())}`;
    const line = `${this.#count()} ${place}  ${time}`;
    // What is least missed is left out first if there is no room: the bar, then the rate.
    let fuller = line;
    for (const part of [this.#disturbances.text(), this.#rate]) {
      if (part !== "" && fuller.length + part.length + 2 <= width) fuller += `; ${part}`;
    }
    const bar = progressBar(this.#pace.done / Math.max(1, this.#pace.total), width - fuller.length);
    this.#screen.write(eraseLine + `${bar}${fuller}`.slice(0, width));
  }

  /** The last column stays free: a terminal that has filled it may go to the next line. */
  #width(): number {
    return (this.#screen.columns ?? 80) - 1;
  }

  #count(): string {
    const rounds = String(this.#pace.total);
    return `[${String(this.#pace.done).padStart(rounds.length)}/${rounds}]`;
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

/** What is said about the time of a run; null if nothing is. */
export function noteOf(progress: RunProgress): string | null {
  if (progress.event === "budget-spent") {
    return `time is used up: ${progress.blocks} of ${progress.planned} blocks were measured`;
  }
  if (progress.event === "making-up") {
    return `an additional block for ${progress.contenders.join(", ")}: some blocks were disturbed`;
  }
  return null;
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
