// The messages of the live page, and the past ones that a page needs if it connects late. It has no
// sockets: the sender asks it for the past and listens for what follows.

import { keptSamples, type LiveMessage, type LiveRound, type LiveSample } from "../model/live.ts";
import { usualPayloadBytes } from "../model/workloads/workload.ts";
import type { Step } from "../run/blocks.ts";
import { judge } from "../run/judge.ts";
import type { Plan } from "../run/plan.ts";
import type { Round } from "../run/round.ts";
import type { RunProgress } from "../run/run.ts";
import { divide, secondsOf, total } from "../run/window-sums.ts";
import { decodeHistogram } from "../statistics/hdr-encoding.ts";
import { merge, supportedQuantile } from "../statistics/histogram.ts";
import { remainingText } from "./progress.ts";
import { RunState } from "./run-state.ts";
import type { Sample } from "./sampler.ts";

/** The final report has the older ones. */
const keptRounds = 1_000;

export class Feed {
  readonly #tell: (message: LiveMessage) => void;
  readonly #state: RunState;
  readonly #samples: LiveSample[] = [];
  readonly #rounds: LiveRound[] = [];
  readonly #notes: string[] = [];
  #finished = false;

  /** @param tell called for everything new. */
  constructor(plan: Plan, tell: (message: LiveMessage) => void) {
    this.#state = new RunState(plan);
    this.#tell = tell;
  }

  hear(progress: RunProgress): void {
    const notes = this.#state.hear(progress);
    if (progress.event === "round-ended") this.#endRound(progress.step, progress.round);
    for (const text of notes) {
      this.#notes.push(text);
      this.#tell({ kind: "note", data: text });
    }
    this.#tell(this.#status());
  }

  /** The status follows every batch, because it has the clock. */
  add(samples: readonly Sample[]): void {
    const fresh = samples.map(({ contender, cpuPercent, memoryBytes, agoMs }) => ({
      at: this.#state.pace.elapsedSeconds - agoMs / 1000,
      contender,
      cpu: cpuPercent,
      memory: memoryBytes,
    }));
    this.#samples.push(...fresh);
    this.#samples.splice(0, this.#samples.length - keptSamples);
    if (fresh.length > 0) this.#tell({ kind: "samples", data: fresh });
    this.#tell(this.#status());
  }

  finish(): void {
    this.#finished = true;
    this.#tell({ kind: "finished", data: null });
  }

  /** Everything so far. */
  past(): LiveMessage[] {
    return [
      this.#status(),
      { kind: "samples", data: this.#samples },
      ...this.#rounds.map((data) => ({ kind: "round" as const, data })),
      ...this.#notes.map((data) => ({ kind: "note" as const, data })),
      ...(this.#finished ? [{ kind: "finished" as const, data: null }] : []),
    ];
  }

  #status(): LiveMessage {
    const { pace, running, step } = this.#state;
    return {
      kind: "status",
      data: {
        done: pace.done,
        total: pace.total,
        elapsedSeconds: pace.elapsedSeconds,
        left: remainingText(pace.remaining()),
        running: [...running],
        doing: step === null ? "starting" : doingText(this.#state.runningText(step), step),
      },
    };
  }

  #endRound(step: Step, round: Round): void {
    const data = { at: this.#state.pace.elapsedSeconds, ...roundData(step, round) };
    this.#rounds.push(data);
    this.#rounds.splice(0, this.#rounds.length - keptRounds);
    this.#tell({ kind: "round", data });
  }
}

function doingText(running: string, { scenario, block, blocks }: Step): string {
  return `${running}: ${scenarioText(scenario)}, block ${block} of ${blocks}`;
}

/** Different for all scenarios of a run. */
function scenarioText({ workload, variant, load, ratePerSecond }: Step["scenario"]): string {
  const count = (value: number) => value.toLocaleString("en-US");
  const parts = [
    workload.name,
    `${count(load.connections)} connections`,
    ...(load.payloadBytes === usualPayloadBytes ? [] : [`${count(load.payloadBytes)} B`]),
    ...(ratePerSecond === null ? [] : [`${count(ratePerSecond)}/s`]),
    ...(variant === null ? [] : [variant]),
  ];
  return parts.join(", ");
}

function roundData(step: Step, round: Round): Omit<LiveRound, "at"> {
  const { windows, failure, unavailable } = round;
  const row = step.part.contenders.find(({ name }) => name === step.contender);
  const single = row?.concurrency === "single";
  const messages = total(windows, "completedMessages");
  const cpuNs = divide(total(windows, "serverCpuNs"), messages);
  const latency = merge(windows.map((window) => decodeHistogram(window.latency)));
  const quantile = (q: number) => {
    const nanoseconds = supportedQuantile(latency, q);
    return nanoseconds === null ? null : nanoseconds / 1000;
  };
  return {
    contender: step.contender,
    scenario: scenarioText(step.scenario),
    block: `${step.block} of ${step.blocks}`,
    throughput: divide(messages, secondsOf(windows)) || null,
    p50: quantile(0.5),
    p99: quantile(0.99),
    cpuPerMessage: cpuNs ? cpuNs / 1000 : null,
    windows: windows.length,
    dropped: windows.length - judge(round, step.scenario.workload, single).valid.length,
    problem: failure ?? unavailable,
  };
}
