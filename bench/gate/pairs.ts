// Base, base again and head side by side: blocks in which each runs once, all at the same time or
// in a seeded, balanced order, until enough pairs count and, for what decides, would show the
// wanted effect. At the same time as in Bulej et al., "Duet Benchmarking" (ICPE 2020): what slows
// the machine down then slows all alike.

import type { Contender } from "../contenders/catalogue.ts";
import { Interrupted } from "../host/deadline.ts";
import type { MetricName } from "../model/metrics.ts";
import type { GateRule } from "../model/reasons.ts";
import { workloads } from "../model/workloads/catalogue.ts";
import type { Workload } from "../model/workloads/workload.ts";
import { clientHasTime } from "../run/conclusion.ts";
import { answersWrong } from "../run/faults.ts";
import { judge } from "../run/judge.ts";
import { figureOf } from "../run/metrics.ts";
import type { Scenario } from "../run/plan.ts";
import { measureRound, type RoundContext } from "../run/round.ts";
import { blockOrders } from "../statistics/latin.ts";
import { deriveSeed, seededRandom, shuffled } from "../statistics/random.ts";
import { gateMetric } from "./metrics.ts";
import type { LoadRow } from "./profiles.ts";
import { type BasePair, isPowered } from "./rule.ts";
import { contenderOf, type Side, sideName, sides, type Trees } from "./sides.ts";

/** The figures of one side by metric; one that it did not tell is missing. */
export type Figures = Readonly<Record<string, number>>;

/** What a contender did in one block; a side that does not count in it is missing. */
export type BlockFigures = Readonly<Partial<Record<Side, Figures>>>;

export interface PairCourse {
  readonly contender: string;
  readonly blocks: readonly BlockFigures[];
  readonly failures: Failures;
}

/** By side, an entry per round that failed. */
export type Failures = Readonly<Record<Side, readonly RoundFailure[]>>;

/** Why a round failed. */
export interface RoundFailure {
  readonly text: string;
  /** The server answered wrongly; its process ended under the load; anything else. */
  readonly kind: "wrong" | "died" | "other";
}

export interface PairContext {
  readonly context: RoundContext;
  readonly trees: Trees;
  readonly seed: number;
  /** One line, as things happen. */
  readonly onProgress: (line: string) => void;
}

/** More failed rounds of one side are no accident; then nothing more is learnt by going on. */
const failuresAllowed = 2;

/** Why more rounds of a side are of no use. A wrong answer is no accident, however rare. */
export function endingFailure(failures: readonly RoundFailure[]): RoundFailure | undefined {
  const wrong = failures.find(({ kind }) => kind === "wrong");
  return wrong ?? (failures.length > failuresAllowed ? failures[0] : undefined);
}

const ofBase = ["base", "again", "planted"] as const;

/**
 * Why the head fails; null if it does not. Rounds that fail on a machine that is too busy fail on
 * every side: they count only if no round of the base failed in that measurement. The head also
 * fails if its server dies under a load that the base always survives, which is known only after
 * the last round.
 * @param measured the failures of a measurement, and of its confirmation if there was one
 */
export function headFailure(measured: readonly Failures[]): string | null {
  const deathOf = (side: Side) =>
    measured.flatMap((failures) => failures[side]).find(({ kind }) => kind === "died");
  const [ending] = measured.flatMap((failures) => {
    const found = endingFailure(failures.head);
    const shared = ofBase.some((side) => failures[side].length > 0);
    return found === undefined || (shared && found.kind !== "wrong") ? [] : [found];
  });
  const survived = ofBase.every((side) => !deathOf(side));
  return (ending ?? (survived ? deathOf("head") : undefined))?.text ?? null;
}

/** Servers that share a CPU wait for each other: that disturbs one as much as the others. */
const sharedAlike: readonly GateRule[] = ["server-waited", "client-waited", "late"];

/** @throws {Interrupted} when the run is to stop. */
export async function measurePairs(row: LoadRow, given: PairContext): Promise<PairCourse[]> {
  const runs = row.contenders.map((contender) => new PairRun(row, contender, given));
  const random = seededRandom(deriveSeed(given.seed, `contenders ${row.workload}`));
  for (let block = 0; block < row.attempts; block++) {
    const due = runs.filter((run) => !run.done);
    if (due.length === 0) break;
    for (const run of shuffled(random, due)) await run.measureBlock(block);
    const state = runs.map((run) => run.state()).join("; ");
    given.onProgress(`${row.workload}, block ${block + 1}: ${state}`);
  }
  return runs.map((run) => run.course());
}

/** The pairs of one metric. `other` is what the base is compared with. */
export function pairsOf(
  course: PairCourse,
  metric: string,
  other: Exclude<Side, "base">,
): BasePair[] {
  return course.blocks.flatMap((figures) => {
    const [base, head] = [figures.base?.[metric], figures[other]?.[metric]];
    return base && head && base > 0 && head > 0 ? [{ base, head }] : [];
  });
}

type Told = readonly [Side, Figures];

/** One contender's blocks. */
class PairRun {
  readonly #row: LoadRow;
  readonly #name: string;
  readonly #given: PairContext;
  readonly #scenario: Scenario;
  /** With the rules by which its windows count here. */
  readonly #workload: Workload;
  readonly #sides: readonly Side[];
  readonly #variants: ReadonlyMap<Side, Contender>;
  readonly #orders: readonly (readonly Side[])[];
  readonly #blocks: BlockFigures[] = [];
  readonly #failures: Record<Side, RoundFailure[]> = { base: [], again: [], head: [], planted: [] };

  constructor(row: LoadRow, name: string, given: PairContext) {
    this.#row = row;
    this.#name = name;
    this.#given = given;
    this.#scenario = scenarioOf(row);
    const { workload } = this.#scenario;
    const rules = workload.rules.filter((rule) => !row.together || !sharedAlike.includes(rule));
    this.#workload = { ...workload, rules };
    this.#sides = row.plantedPercent == null ? sides : [...sides, "planted"];
    this.#variants = new Map(
      this.#sides.map((side) => [side, contenderOf(name, side, given.trees)]),
    );
    const seed = deriveSeed(given.seed, `order ${row.workload} ${name}`);
    this.#orders = blockOrders(this.#sides, row.attempts, seed);
  }

  get done(): boolean {
    if (this.#sides.some((side) => endingFailure(this.#failures[side]))) return true;
    return this.#counted() >= this.#row.pairs && (this.#row.untilPowered !== true || this.#powered);
  }

  async measureBlock(block: number): Promise<void> {
    const order = this.#orders[block] ?? this.#sides;
    const measured = this.#row.together
      ? await this.#measureTogether(order, block)
      : await this.#measureInTurn(order, block);
    this.#blocks.push(Object.fromEntries(measured));
  }

  state(): string {
    return `${this.#name} ${this.#counted()} of ${this.#row.pairs} pairs`;
  }

  course(): PairCourse {
    return { contender: this.#name, blocks: this.#blocks, failures: this.#failures };
  }

  /** By the effect that each side must show: the spread of pairs decides, never their ratio. */
  get #powered(): boolean {
    const metric = gateMetric(this.#row.metrics[0] ?? "");
    const course = this.course();
    return this.#sides.every((side) => {
      if (side === "base") return true;
      const wanted = side === "planted" ? (this.#row.plantedPercent ?? 0) / 100 : metric.wanted;
      return isPowered({ ...metric, wanted, pairs: pairsOf(course, metric.name, side) });
    });
  }

  /** By the first metric, for which the row is there. */
  #counted(): number {
    const [metric = ""] = this.#row.metrics;
    const course = this.course();
    return Math.min(...(["head", "again"] as const).map((o) => pairsOf(course, metric, o).length));
  }

  async #measureInTurn(order: readonly Side[], block: number): Promise<Told[]> {
    const told: Told[] = [];
    for (const side of order) told.push(...(await this.#measure(side, block)));
    return told;
  }

  /** All have ended when this does, after an interruption too. */
  async #measureTogether(order: readonly Side[], block: number): Promise<Told[]> {
    const rounds = await Promise.allSettled(order.map((side) => this.#measure(side, block)));
    return rounds.flatMap((round) => {
      if (round.status === "rejected") throw round.reason;
      return round.value;
    });
  }

  /** @returns one entry, or none if nothing counts. */
  async #measure(side: Side, block: number): Promise<Told[]> {
    const { context, seed } = this.#given;
    if (context.signal.aborted) throw new Interrupted();
    const contender = this.#variants.get(side);
    if (contender === undefined) return [];
    const round = await measureRound(
      {
        contender,
        workers: 1,
        scenarioIndex: 0,
        scenario: this.#scenario,
        block,
        timing: this.#row.timing,
        seed: deriveSeed(seed, `load ${this.#row.workload} ${block}`),
      },
      context,
    );
    const failure = round.failure ?? round.unavailable;
    if (failure !== null) {
      const kind = answersWrong(round.result) ? "wrong" : round.died ? "died" : "other";
      this.#failures[side].push({ text: failure, kind });
      this.#given.onProgress(`${sideName(this.#name, side)}: ${failure}`);
      return [];
    }
    const single = contender.concurrency === "single";
    const { data, disturbed } = judge(round, this.#workload, single);
    // What disturbs servers that run at the same time disturbs all of them.
    if (data === null || (disturbed && !this.#row.together)) return [];
    if (this.#workload.mustFill && !clientHasTime(figureOf("clientCpuPercent", data))) {
      const what = "the load generator used up its CPU, so this is no throughput of the server's";
      this.#given.onProgress(`${sideName(this.#name, side)}: ${what}`);
      return [];
    }
    const told = this.#row.metrics.map((name) => [name, figureOf(name as MetricName, data)]);
    return [[side, Object.fromEntries(told.filter(([, figure]) => figure !== null))]];
  }
}

export function scenarioOf({ workload: name, ...scale }: LoadRow): Scenario {
  const workload = workloads.find((row) => row.name === name);
  const variation = workload?.loads(scale)[0];
  if (workload === undefined || variation === undefined) throw new Error(`no load of ${name}`);
  return { workload, ...variation, ratePerSecond: scale.ratePerSecond };
}
