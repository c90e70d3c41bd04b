// Blocks: each is one pass over all scenarios and contenders of a part, in a seeded, balanced
// order, the reference among them. The first ones are pilots: their spread determines how many
// blocks are needed.

import type { Contender } from "../contenders/catalogue.ts";
import { Interrupted } from "../host/deadline.ts";
import { endEverything } from "../host/host.ts";
import { anySignal } from "../host/interrupt.ts";
import { runtimeRow } from "../model/runtimes.ts";
import { blockOrders } from "../statistics/latin.ts";
import { deriveSeed, seededRandom, shuffled } from "../statistics/random.ts";
import { blocksToRank } from "../statistics/ratio.ts";
import type { PartClock } from "./budget.ts";
import { measureInterleaved, takesTurns } from "./interleaved.ts";
import { judgedRounds, pairBlocks, type Refusal } from "./judge.ts";
import { pairOf } from "./metrics.ts";
import { baselineIndex, type Part, type Plan, type Scenario } from "./plan.ts";
import { measureRound, type Round, type RoundContext, type RoundRequest } from "./round.ts";

/** Progress events, for the live views. */
export type Progress =
  | { readonly event: "round-started"; readonly step: Step }
  | { readonly event: "round-ended"; readonly step: Step; readonly round: Round }
  /** How many rounds a part has, as far as is known. */
  | { readonly event: "rounds-planned"; readonly part: Part; readonly rounds: number }
  /** The budget of time is spent after so many of the planned blocks. */
  | {
      readonly event: "budget-spent";
      readonly part: Part;
      readonly blocks: number;
      readonly planned: number;
    }
  /** Another block begins, for contenders some of whose blocks were disturbed. */
  | { readonly event: "making-up"; readonly part: Part; readonly contenders: readonly string[] };

/** A round's place in the run. */
export interface Step {
  readonly part: Part;
  readonly scenario: Scenario;
  /** From 1. */
  readonly block: number;
  /** How many blocks its contender is to have. */
  readonly blocks: number;
  readonly contender: string;
}

interface BlockContext extends RoundContext {
  readonly onProgress: (progress: Progress) => void;
  /** For each scenario, by contender: those that are not run. */
  readonly refusals: readonly ReadonlyMap<string, Refusal>[];
  /** Processes that a server of several is to have. */
  readonly workersOf: (contender: Contender, scenario: Scenario) => number;
  /** Whether the machine lets these servers be open at the same time. */
  readonly fits: (rounds: readonly RoundRequest[]) => boolean;
  /** How much time the part has. */
  readonly clock: PartClock;
}

/** Six pairs tell a spread from nothing; fewer tell little. */
const pilotBlocks = 6;
/** The difference that the blocks must be enough for: 5 %. */
const smallestEffect = 0.05;
/** As many blocks may make up for disturbed ones as were planned. */
const blocksForOne = 2;

/** One part under measurement. What it has done so far stays, whatever ends it. */
export class BlockRun {
  readonly rounds: Round[] = [];
  readonly #plan: Plan;
  readonly #part: Part;
  readonly #context: BlockContext;
  readonly #planned = new Map<string, number>();
  readonly #failed = new Set<string>();
  readonly #keys: readonly string[];

  constructor(plan: Plan, part: Part, context: BlockContext) {
    this.#plan = plan;
    this.#part = part;
    this.#context = context;
    this.#keys = part.scenarios.map(
      ({ workload, load }) => `${workload.name} ${JSON.stringify(load)}`,
    );
  }

  /** How many blocks a contender is to have. */
  planned(scenarioIndex: number, contender: string): number {
    return this.#planned.get(keyOf(scenarioIndex, contender)) ?? this.#part.blocks.minimum;
  }

  /**
   * Measures until every contender has its blocks, or the time is spent; then makes up for those
   * that were disturbed while there is time. A contender that failed is not run again.
   * @throws {Interrupted} when the run is to stop.
   */
  async measure(): Promise<void> {
    const { contenders, blocks } = this.#part;
    const seed = deriveSeed(this.#plan.seed, `order ${this.#keys.join()}`);
    const orders = blockOrders(contenders, blocksForOne * blocks.maximum, seed);
    const random = seededRandom(seed);
    this.#tellRounds();
    for (const [block, order] of orders.entries()) {
      if (block === Math.min(pilotBlocks, blocks.minimum)) this.#choose();
      const makesUp = block >= blocks.maximum;
      if (!(makesUp ? this.#mayMakeUp() : this.#mayGoOn(block))) return;
      const wanted = makesUp ? this.#lost() : null;
      const isWanted = (scenarioIndex: number, { name }: Contender) =>
        wanted === null
          ? block < this.planned(scenarioIndex, name)
          : wanted.has(keyOf(scenarioIndex, name));
      // Within a block a scenario's rounds are neighbours, so that each is near its reference's.
      const places = shuffled(random, [...this.#part.scenarios.keys()]);
      const shape = { block, order, places, isWanted };
      if (!(await this.#measureInTime(shape))) {
        this.#endWith(block);
        return;
      }
    }
  }

  /** Whatever the first block takes, every contender has a figure. @returns false: abandoned. */
  async #measureInTime(shape: BlockShape): Promise<boolean> {
    const { clock, signal, host } = this.#context;
    const leftMs = shape.block === 0 ? Number.POSITIVE_INFINITY : clock.leftMs();
    const over = new AbortController();
    const timer = Number.isFinite(leftMs) ? setTimeout(() => over.abort(), leftMs) : undefined;
    const context = { ...this.#context, signal: anySignal(signal, over.signal) };
    try {
      await clock.time(() => this.#measureBlock(shape, context));
      return true;
    } catch (error) {
      if (!(error instanceof Interrupted) || signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
    }
    clock.hurried("abandoned");
    this.#forget(shape.block);
    await endEverything(host);
    return false;
  }

  /** A part of a block compares nothing; a failure stays. */
  #forget(block: number): void {
    const stays = (round: Round) =>
      round.block !== block || round.failure !== null || round.unavailable !== null;
    this.rounds.splice(0, this.rounds.length, ...this.rounds.filter(stays));
  }

  async #measureBlock(
    { block, order, places, isWanted }: BlockShape,
    context: BlockContext,
  ): Promise<void> {
    for (const scenarioIndex of places) {
      const seed = deriveSeed(this.#plan.seed, `load ${this.#keys[scenarioIndex]} ${block}`);
      const requests = order
        .filter((contender) => isWanted(scenarioIndex, contender))
        .flatMap((contender) => this.#request({ scenarioIndex, block, contender, seed }));
      const inTurn = requests.every(({ scenario, timing }) => takesTurns(scenario, timing));
      if (inTurn) await this.#measureTogether(requests, context);
      else for (const request of requests) await this.#measureAlone(request, context);
    }
  }

  /** Where the time is spent the part ends with the blocks that it has. */
  #mayGoOn(block: number): boolean {
    if (this.#context.clock.hasTimeForPlanned()) return true;
    this.#endWith(block);
    return false;
  }

  /** The time is spent: so many blocks are all that was planned. */
  #endWith(block: number): void {
    const { scenarios, contenders } = this.#part;
    let most = 0;
    for (const scenarioIndex of scenarios.keys()) {
      for (const { name } of contenders) {
        const planned = this.planned(scenarioIndex, name);
        most = Math.max(most, planned);
        this.#planned.set(keyOf(scenarioIndex, name), Math.min(planned, block));
      }
    }
    if (most <= block) return;
    this.#context.onProgress({
      ...{ event: "budget-spent", part: this.#part, blocks: block, planned: most },
    });
    this.#tellRounds();
  }

  #mayMakeUp(): boolean {
    const lost = this.#lost();
    const { scenarios, contenders } = this.#part;
    const share = lost.size / (scenarios.length * contenders.length);
    if (lost.size === 0 || !this.#context.clock.hasTimeToMakeUp(share)) return false;
    const names = contenders
      .map(({ name }) => name)
      .filter((name) => [...scenarios.keys()].some((index) => lost.has(keyOf(index, name))));
    this.#tellRounds(lost.size);
    this.#context.onProgress({ event: "making-up", part: this.#part, contenders: names });
    return true;
  }

  /** With fewer undisturbed blocks than planned, by the rules of validity; with the reference. */
  #lost(): Set<string> {
    const { scenarios, contenders } = this.#part;
    const reference = contenders.find(({ name }) => name === this.#plan.reference);
    const found = new Set<string>();
    for (const [scenarioIndex, { workload }] of scenarios.entries()) {
      const judged = (contender: Contender) =>
        judgedRounds(this.#part, this.rounds, { scenarioIndex, contender });
      const compares = workload.comparesToReference && reference !== undefined;
      const base = compares && this.#runs(scenarioIndex, reference) ? judged(reference) : null;
      for (const contender of contenders) {
        if (!this.#runs(scenarioIndex, contender)) continue;
        const sound = pairBlocks(judged(contender), base).filter(({ disturbed }) => !disturbed);
        if (sound.length >= this.planned(scenarioIndex, contender.name)) continue;
        found.add(keyOf(scenarioIndex, contender.name));
        if (base !== null) found.add(keyOf(scenarioIndex, this.#plan.reference));
        // The ratio to the baseline pairs figures of the same block.
        const baseline = baselineIndex(this.#part, workload);
        if (baseline >= 0 && this.#runs(baseline, contender)) {
          found.add(keyOf(baseline, contender.name));
        }
      }
    }
    return found;
  }

  /** None for a contender that is refused or has failed. */
  #request(place: Omit<RoundPlace, "scenario">): RoundRequest[] {
    const { scenarioIndex, contender } = place;
    const { scenarios, timing } = this.#part;
    const scenario = scenarios[scenarioIndex];
    if (scenario === undefined || !this.#runs(scenarioIndex, contender)) return [];
    return [
      {
        ...place,
        scenario,
        workers: this.#context.workersOf(contender, scenario),
        timing: runtimeRow(contender.runtime).warmup === "none" ? timing : withPatience(timing),
      },
    ];
  }

  async #measureTogether(rounds: readonly RoundRequest[], context: BlockContext): Promise<void> {
    if (rounds.length === 0) return;
    if (context.signal.aborted) throw new Interrupted();
    await measureInterleaved(
      {
        rounds,
        reference: this.#plan.reference,
        clock: context.clock,
        fits: context.fits,
        onStarted: (request) => this.#started(request),
        onEnded: (request, round) => this.#ended(request, round),
      },
      context,
    );
  }

  async #measureAlone(request: RoundRequest, context: BlockContext): Promise<void> {
    if (context.signal.aborted) throw new Interrupted();
    this.#started(request);
    this.#ended(request, await measureRound(request, context));
  }

  #started(request: RoundRequest): void {
    this.#context.onProgress({ event: "round-started", step: this.#step(request) });
  }

  #ended(request: RoundRequest, round: Round): void {
    this.rounds.push(round);
    if (round.failure !== null || round.unavailable !== null) {
      this.#failed.add(keyOf(request.scenarioIndex, request.contender.name));
      this.#tellRounds();
    }
    this.#context.onProgress({ event: "round-ended", step: this.#step(request), round });
  }

  #step({ scenario, scenarioIndex, block, contender: { name } }: RoundRequest): Step {
    const blocks = Math.max(block + 1, this.planned(scenarioIndex, name));
    return { part: this.#part, scenario, block: block + 1, blocks, contender: name };
  }

  #runs(scenarioIndex: number, { name }: Contender): boolean {
    const refused = this.#context.refusals[scenarioIndex]?.has(name) ?? false;
    return !refused && !this.#failed.has(keyOf(scenarioIndex, name));
  }

  /** From the pilot pairs: how many blocks each contender is to have; the reference the most. */
  #choose(): void {
    const { scenarios, contenders, blocks } = this.#part;
    if (blocks.maximum === blocks.minimum) return;
    const { reference } = this.#plan;
    for (const scenarioIndex of scenarios.keys()) {
      const rivals = contenders.filter(({ name }) => name !== reference);
      const chosen = rivals.map((contender) => {
        const planned = this.#size(scenarioIndex, contender);
        this.#planned.set(keyOf(scenarioIndex, contender.name), planned);
        return this.#runs(scenarioIndex, contender) ? planned : blocks.minimum;
      });
      const most = Math.max(blocks.minimum, ...chosen);
      this.#planned.set(keyOf(scenarioIndex, reference), most);
    }
    this.#tellRounds();
  }

  #size(scenarioIndex: number, contender: Contender): number {
    const { blocks, scenarios, contenders } = this.#part;
    const reference = contenders.find(({ name }) => name === this.#plan.reference);
    const workload = scenarios[scenarioIndex]?.workload;
    if (reference === undefined || workload === undefined || !workload.comparesToReference) {
      return blocks.minimum;
    }
    const judged = (whose: Contender) =>
      judgedRounds(this.#part, this.rounds, { scenarioIndex, contender: whose });
    const logRatios = pairBlocks(judged(contender), judged(reference))
      .flatMap(({ own, reference: other }) => pairOf(workload.headline, own, other))
      .map((pair) => Math.log(pair.value / pair.reference));
    if (logRatios.length < 2) return blocks.minimum;
    return blocksToRank(logRatios, { effect: smallestEffect, ...blocks });
  }

  /** @param further rounds that make up for others. */
  #tellRounds(further = 0): void {
    let rounds = further;
    for (const scenarioIndex of this.#part.scenarios.keys()) {
      for (const contender of this.#part.contenders) {
        const { name } = contender;
        const done = this.rounds.filter(
          (round) => round.contender === name && round.scenarioIndex === scenarioIndex,
        ).length;
        const blocks = this.planned(scenarioIndex, name);
        rounds += this.#runs(scenarioIndex, contender) ? Math.max(blocks, done) : done;
      }
    }
    this.#context.onProgress({ event: "rounds-planned", part: this.#part, rounds });
  }
}

interface BlockShape {
  readonly block: number;
  readonly order: readonly Contender[];
  /** The scenarios in the order in which they are measured. */
  readonly places: readonly number[];
  readonly isWanted: (scenarioIndex: number, contender: Contender) => boolean;
}

interface RoundPlace {
  readonly scenarioIndex: number;
  readonly scenario: Scenario;
  readonly block: number;
  readonly contender: Contender;
  /** The same for all contenders of a block: the same messages are due at the same times. */
  readonly seed: number;
}

/** What compiles while it runs needs longer to become steady. */
const longestSteadyMs = 3_600_000; // of the load generator

function withPatience(timing: Part["timing"]): Part["timing"] {
  return { ...timing, steadyWithinMs: Math.min(2 * timing.steadyWithinMs, longestSteadyMs) };
}

function keyOf(scenarioIndex: number, contender: string): string {
  return `${scenarioIndex} ${contender}`;
}
