// The hunt for differences: the same sequences on every backend, answers compared, and what fails
// cut down to the few operations that matter.

import { deriveSeed, seededRandom } from "../../bench/statistics/random.ts";
import type { Selector } from "../../src/index.ts";
import { generate, type Operation } from "./operations.ts";
import { type Answer, NUMBERS, Run } from "./run.ts";

/** Operations in one sequence, each with descriptors and a Selector of its own. */
const SEQUENCE = 1000;

/** Runs that shrinking may cost. */
const MOST_TRIALS = 2000;

const MISNUMBERED = "the backends were given different descriptors";

/** A sequence, and what is called before each of its operations. */
interface Part {
  readonly sequence: readonly Operation[];
  readonly between: () => void;
}

export type Backend = readonly [name: string, make: <T>() => Selector<T>];

export interface Figures {
  /** Each was done on every backend. */
  operations: number;
  /** Answers of two backends that were compared, and those that a rule kept apart. */
  compared: number;
  ruled: number;
}

/** Its message: what went wrong, the operations that matter, the command that shows it again. */
export class Difference extends Error {
  override readonly name = "Difference";
}

interface Failure {
  /** Operations up to the one that failed. */
  readonly count: number;
  readonly message: string;
  readonly log: readonly string[];
}

type Outcome =
  | { readonly answers: readonly Answer[]; readonly log: readonly string[] }
  | { readonly failure: Failure };

/**
 * Plays sequence after sequence until there were as many operations.
 * @param between called before each operation.
 * @returns after each sequence the figures so far, an object of its own.
 * @throws {Difference} at the first sequence that a backend does not play as the model, or as
 *   another backend.
 */
export function* hunt(
  backends: readonly Backend[],
  seed: number,
  operations: number,
  between: () => void = () => undefined,
): Generator<Figures> {
  const figures: Figures = { operations: 0, compared: 0, ruled: 0 };
  for (let i = 0; figures.operations < operations; i++) {
    const length = Math.min(SEQUENCE, operations - figures.operations);
    const sequence = generate(seededRandom(deriveSeed(seed, `sequence ${i}`)), length);
    const part = { sequence, between };
    let failure = playOnAll(backends, part, figures);
    // The process itself, too, opens descriptors now and then.
    for (let i = 0; i < 2 && failure?.message === MISNUMBERED; i++) {
      failure = playOnAll(backends, part, figures);
    }
    figures.operations += length;
    if (failure !== null) {
      throw new Difference(`${describe(backends, part, failure)}
again: ${commandOf(backends, seed, figures.operations)}`);
    }
    yield { ...figures };
  }
}

function commandOf(backends: readonly Backend[], seed: number, operations: number): string {
  const names = backends.map(([name]) => name).join(",");
  const options = `--seed ${seed} --operations ${operations} --calls 0 --backend ${names}`;
  return `npm run test:fuzz -- ${options}`;
}

function playOnAll(
  backends: readonly Backend[],
  { sequence, between }: Part,
  figures: Figures,
): Failure | null {
  const played: (readonly Answer[])[] = [];
  let log: readonly string[] = [];
  for (const backend of backends) {
    const outcome = play(backend, { sequence, between });
    if ("failure" in outcome) return outcome.failure;
    played.push(outcome.answers);
    log = outcome.log;
  }
  for (const [i, one] of played.entries()) {
    for (const [j, other] of played.slice(0, i).entries()) {
      for (const [at, answer] of one.entries()) {
        const difference = compare(answer, other[at] as Answer, figures);
        if (difference === null) continue;
        const names = `${backends[i]?.[0]} and ${backends[j]?.[0]}`;
        const message =
          difference === MISNUMBERED
            ? difference
            : `${sequence[at]?.name}: ${names} differ: ${difference}`;
        return { count: at + 1, message, log: log.slice(0, at + 1) };
      }
    }
  }
  return null;
}

function play([name, make]: Backend, { sequence, between }: Part): Outcome {
  const run = new Run(() => make<number>());
  const answers: Answer[] = [];
  try {
    for (const operation of sequence) {
      between();
      answers.push(run.step(operation));
    }
    return { answers, log: run.log };
  } catch (error) {
    const message = `${name}: ${error instanceof Error ? error.message : String(error)}`;
    return { failure: { count: answers.length + 1, message, log: run.log } };
  } finally {
    run.end();
  }
}

function compare(one: Answer, other: Answer, figures: Figures): string | null {
  for (const place of new Set([...one.values.keys(), ...other.values.keys()])) {
    if (isRuled(one, place) || isRuled(other, place)) {
      figures.ruled++;
      continue;
    }
    figures.compared++;
    if (place === NUMBERS && one.values.get(place) !== other.values.get(place)) return MISNUMBERED;
    const [a, b] = [one.values.get(place), other.values.get(place)];
    if (a !== b) return `${a} and ${b} for descriptor ${place}`;
  }
  return null;
}

function isRuled({ ruled }: Answer, place: number): boolean {
  return ruled === "all" || ruled.has(place);
}

function describe(backends: readonly Backend[], part: Part, failure: Failure): string {
  const fails = (sequence: readonly Operation[]) => {
    const unused = { operations: 0, compared: 0, ruled: 0 };
    const found = playOnAll(backends, { ...part, sequence }, unused);
    return found !== null && kindOf(found) === kindOf(failure) ? found : null;
  };
  const { log, message } = shrink(fails, part.sequence.slice(0, failure.count), failure);
  return [
    failure.message,
    `cut down to ${log.length} operations: ${message}`,
    ...log.slice(-60).map((line) => `  ${line}`),
  ].join("\n");
}

/** So that shrinking does not go from one failure over to another. */
function kindOf({ message }: Failure): string {
  return message.replaceAll(/\d+/g, "N");
}

/** Leaves out ever smaller pieces for as long as it still fails. */
function shrink(
  fails: (candidate: readonly Operation[]) => Failure | null,
  sequence: readonly Operation[],
  first: Failure,
): Failure {
  let smallest = sequence;
  let failure = first;
  let trials = 0;
  let piece = smallest.length;
  while (piece > 0 && trials < MOST_TRIALS) {
    const before = smallest.length;
    for (let at = 0; at < smallest.length && trials < MOST_TRIALS; trials++) {
      const candidate = [...smallest.slice(0, at), ...smallest.slice(at + piece)];
      const found = fails(candidate);
      if (found === null) {
        at += piece;
      } else {
        failure = found;
        smallest = candidate.slice(0, found.count);
      }
    }
    if (smallest.length === before) piece >>= 1;
  }
  return failure;
}
