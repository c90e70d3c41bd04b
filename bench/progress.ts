// How far a run is: on a terminal one line that is rewritten in place, elsewhere a line a round.
// Enters: progress of bench/measure. Leaves: text on standard error; standard output is for
// results.

import type { Step } from "./measure/blocks.ts";
import type { Refusal } from "./measure/judge.ts";
import type { Round } from "./measure/round.ts";
import { estimateSeconds, type Part, type Plan } from "./plan.ts";
import type { RunProgress } from "./run.ts";

/** Standard error, or whoever stands in for it. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const eraseLine = "\r\u001b[K";

export class ProgressLine {
  readonly #screen: Screen;
  readonly #plan: Plan;
  readonly #inPlace: boolean;
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  /** How many rounds each part has, as far as is known. */
  readonly #rounds: Map<Part, number>;
  #done = 0;
  #doing = "starting";
  #roundStartedMs = performance.now();
  #lastEndedMs = performance.now();

  /** @param inPlace whether the line may be rewritten: a terminal that is no CI log. */
  constructor(screen: Screen, plan: Plan, inPlace: boolean) {
    this.#screen = screen;
    this.#plan = plan;
    this.#inPlace = inPlace;
    this.#rounds = new Map(
      plan.parts.map((part) => [
        part,
        part.scenarios.length * part.contenders.length * part.blocks.minimum,
      ]),
    );
    // Once a second, and only where it shows: we share the CPUs with those that are measured.
    if (inPlace) this.#timer = setInterval(() => this.#draw(), 1000).unref();
  }

  show(progress: RunProgress): void {
    switch (progress.event) {
      case "refused":
        this.#refuse(progress.contenders, progress.refusal);
        break;
      case "rounds-planned":
        this.#rounds.set(progress.part, progress.rounds);
        break;
      case "round-started":
        this.#roundStartedMs = performance.now();
        this.#doing = this.#place(progress.step);
        this.#draw();
        break;
      case "round-ended":
        this.#done += 1;
        this.#lastEndedMs = performance.now();
        this.#endRound(progress.step, progress.round);
        break;
    }
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

  #refuse(contenders: readonly string[], { status, reason }: Refusal): void {
    this.note(`${status}: ${contenders.join(", ")}: ${reason}`);
  }

  #endRound(step: Step, round: Round): void {
    const place = this.#place(step);
    const problem = round.failure ?? round.unavailable;
    if (problem !== null) {
      const how = round.failure === null ? "unavailable" : "failed";
      this.note(`${this.#count()} ${place} ${how}: ${cut(problem, longestReason)}`);
    } else if (!this.#inPlace) {
      const seconds = ((performance.now() - this.#roundStartedMs) / 1000).toFixed(1);
      this.note(`${this.#count()} ${place} ${cost(round)}${seconds} s; ${this.#left()}`);
    }
  }

  #draw(): void {
    if (!this.#inPlace) return;
    // The last column stays free: a terminal that has filled it may go to the next line.
    const width = (this.#screen.columns ?? 80) - 1;
    const longest = Math.max(...this.#plan.contenders.map(({ name }) => name.length));
    const place = this.#doing.padEnd("block 1/1 ".length + longest);
    const line = `${this.#count()} ${place}  ${clock(this.#elapsedSeconds())}, ${this.#left()}`;
    const bar = progressBar(this.#done / Math.max(1, this.#total()), width - line.length);
    this.#screen.write(eraseLine + `${bar}${line}`.slice(0, width));
  }

  #total(): number {
    return [...this.#rounds.values()].reduce((sum, rounds) => sum + rounds, 0);
  }

  #count(): string {
    const rounds = String(this.#total());
    return `[${String(this.#done).padStart(rounds.length)}/${rounds}]`;
  }

  #place({ scenario, block, blocks, contender }: Step): string {
    const workload = this.#plan.parts.length > 1 ? `${scenario.workload.name} ` : "";
    return `${workload}block ${block}/${blocks} ${contender}`;
  }

  #elapsedSeconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  /** From the mean round so far; from the plan's estimate before there is one. */
  #left(): string {
    const measured = (this.#lastEndedMs - this.#startedMs) / 1000;
    const whole =
      this.#done > 0 ? (this.#total() * measured) / this.#done : estimateSeconds(this.#plan);
    return `about ${clock(Math.max(0, whole - this.#elapsedSeconds()))} left`;
  }
}

/** "9.71 µs a message, "; nothing where the platform does not tell the server's CPU time. */
function cost({ windows }: Round): string {
  const sum = (values: (number | null)[]) => values.reduce<number>((all, v) => all + (v ?? 0), 0);
  const messages = sum(windows.map(({ completedMessages }) => completedMessages));
  const cpuNs = sum(windows.map(({ serverCpuNs }) => serverCpuNs));
  return messages > 0 && cpuNs > 0 ? `${(cpuNs / messages / 1000).toFixed(2)} µs a message, ` : "";
}

/** The table and the report have the whole of it. */
const longestReason = 200;

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** "1:05". */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const longestBar = 30;
const shortestBar = 6;

/** "[####------] ", or nothing where there is no room for one. */
function progressBar(share: number, room: number): string {
  const width = Math.min(longestBar, room - "[] ".length);
  if (width < shortestBar) return "";
  const full = Math.round(Math.min(1, share) * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}] `;
}
