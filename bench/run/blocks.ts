// Blocks: each is one pass over all scenarios and contenders of a part, in a seeded, balanced
// order, the reference among them. The first ones are pilots: their spread tells how many there
// must be.

import type { Contender } from "../contenders/catalogue.ts";
import { Interrupted } from "../host/deadline.ts";
import { blockOrders } from "../statistics/latin.ts";
import { deriveSeed, seededRandom, shuffled } from "../statistics/random.ts";
import { sampleSize } from "../statistics/sample-size.ts";
import type { Planned } from "./cells.ts";
import { canInterleave, measureInterleaved } from "./interleaved.ts";
import { judgedRounds, pairBlocks, type Refusal } from "./judge.ts";
import { pairOf } from "./metrics.ts";
import type { Part, Plan, Scenario } from "./plan.ts";
import { measureRound, type Round, type RoundContext, type RoundRequest } from "./round.ts";

/** What happens while it happens, for whoever shows it. */
export type Progress =
  | { readonly event: "round-started"; readonly step: Step }
  | { readonly event: "round-ended"; readonly step: Step; readonly round: Round }
  /** How many rounds a part has, as far as is known. */
  | { readonly event: "rounds-planned"; readonly part: Part; readonly rounds: number };

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

export interface BlockContext extends RoundContext {
  readonly onProgress: (progress: Progress) => void;
  /** For each scenario, by contender: those that are not run. */
  readonly refusals: readonly ReadonlyMap<string, Refusal>[];
  /** Processes that a server of several is to have. */
  readonly workersOf: (contender: Contender, scenario: Scenario) => number;
}

/** Six pairs tell a spread from nothing; fewer tell little. */
const pilotBlocks = 6;
/** The difference that the blocks must be enough for: 5 %. */
const smallestEffect = 0.05;

/** One part under measurement. What it has done so far stays, whatever ends it. */
export class BlockRun {
  readonly rounds: Round[] = [];
  readonly #plan: Plan;
  readonly #part: Part;
  readonly #context: BlockContext;
  readonly #planned = new Map<string, Planned>();
  readonly #failed = new Set<string>();

  constructor(plan: Plan, part: Part, context: BlockContext) {
    this.#plan = plan;
    this.#part = part;
    this.#context = context;
  }

  planned(scenarioIndex: number, contender: string): Planned {
    const { minimum } = this.#part.blocks;
    return this.#planned.get(keyOf(scenarioIndex, contender)) ?? { blocks: minimum, enough: true };
  }

  /**
   * Measures until every contender has its blocks. One that failed is not run again.
   * @throws {Interrupted} when the run is to stop.
   */
  async measure(): Promise<void> {
    const { scenarios, contenders, blocks } = this.#part;
    const key = scenarios.map(({ workload, load }) => `${workload.name} ${JSON.stringify(load)}`);
    const seed = deriveSeed(this.#plan.seed, `order ${key.join()}`);
    const orders = blockOrders(contenders, blocks.maximum, seed);
    const random = seededRandom(seed);
    this.#tellRounds();
    for (const [block, order] of orders.entries()) {
      if (block === Math.min(pilotBlocks, blocks.minimum)) this.#choose();
      // Within a block a scenario's rounds are neighbours, so that each is near its reference's.
      for (const scenarioIndex of shuffled(random, [...scenarios.keys()])) {
        const seed = deriveSeed(this.#plan.seed, `load ${key[scenarioIndex]} ${block}`);
        const requests = order.flatMap((contender) =>
          this.#request({ scenarioIndex, block, contender, seed }),
        );
        if (canInterleave(requests)) await this.#measureTogether(requests);
        else for (const request of requests) await this.#measureAlone(request);
      }
    }
  }

  /** None for a contender that has had its blocks, is refused or has failed. */
  #request(place: Omit<RoundPlace, "scenario">): RoundRequest[] {
    const { scenarioIndex, block, contender } = place;
    const { scenarios, timing } = this.#part;
    const scenario = scenarios[scenarioIndex];
    const { blocks } = this.planned(scenarioIndex, contender.name);
    if (scenario === undefined || block >= blocks || !this.#runs(scenarioIndex, contender)) {
      return [];
    }
    return [
      {
        ...place,
        scenario,
        workers: this.#context.workersOf(contender, scenario),
        timing: ["ts", "node"].includes(contender.runtime) ? withPatience(timing) : timing,
      },
    ];
  }

  async #measureTogether(rounds: readonly RoundRequest[]): Promise<void> {
    if (rounds.length === 0) return;
    if (this.#context.signal.aborted) throw new Interrupted();
    await measureInterleaved(
      {
        rounds,
        reference: this.#plan.reference,
        onStarted: (request) => this.#started(request),
        onEnded: (request, round) => this.#ended(request, round),
      },
      this.#context,
    );
  }

  async #measureAlone(request: RoundRequest): Promise<void> {
    if (this.#context.signal.aborted) throw new Interrupted();
    this.#started(request);
    this.#ended(request, await measureRound(request, this.#context));
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
    const { blocks } = this.planned(scenarioIndex, name);
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
        return this.#runs(scenarioIndex, contender) ? planned.blocks : blocks.minimum;
      });
      const most = Math.max(blocks.minimum, ...chosen);
      this.#planned.set(keyOf(scenarioIndex, reference), { blocks: most, enough: true });
    }
    this.#tellRounds();
  }

  #size(scenarioIndex: number, contender: Contender): Planned {
    const { blocks, scenarios, contenders } = this.#part;
    const reference = contenders.find(({ name }) => name === this.#plan.reference);
    const workload = scenarios[scenarioIndex]?.workload;
    if (reference === undefined || workload === undefined || !workload.comparesToReference) {
      return { blocks: blocks.minimum, enough: true };
    }
    const judged = (whose: Contender) =>
      judgedRounds(this.#part, this.rounds, { scenarioIndex, contender: whose });
    const logRatios = pairBlocks(judged(contender), judged(reference))
      .flatMap(({ own, reference: other }) => pairOf(workload.headline, own, other))
      .map((pair) => Math.log(pair.value / pair.reference));
    if (logRatios.length < 2) return { blocks: blocks.minimum, enough: true };
    const size = sampleSize(logRatios, { effect: smallestEffect, ...blocks });
    return { blocks: size.blocks, enough: size.enough };
  }

  #tellRounds(): void {
    let rounds = 0;
    for (const scenarioIndex of this.#part.scenarios.keys()) {
      for (const contender of this.#part.contenders) {
        const { name } = contender;
        const done = this.rounds.filter(
          (round) => round.contender === name && round.scenarioIndex === scenarioIndex,
        ).length;
        const { blocks } = this.planned(scenarioIndex, name);
        rounds += this.#runs(scenarioIndex, contender) ? blocks : done;
      }
    }
    this.#context.onProgress({ event: "rounds-planned", part: this.#part, rounds });
  }
}

interface RoundPlace {
  readonly scenarioIndex: number;
  readonly scenario: Scenario;
  readonly block: number;
  readonly contender: Contender;
  /** The same for all contenders of a block: the same messages are due at the same times. */
  readonly seed: number;
}

/** JavaScript engines compile while they warm up. */
function withPatience(timing: Part["timing"]): Part["timing"] {
  return { ...timing, steadyWithinMs: 2 * timing.steadyWithinMs };
}

function keyOf(scenarioIndex: number, contender: string): string {
  return `${scenarioIndex} ${contender}`;
}
