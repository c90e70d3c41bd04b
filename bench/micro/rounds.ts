// The rounds: each case in TypeScript and natively, in turns, each time in a fresh process, so that
// a noisy minute falls on both and the luck of one process's memory layout shows as spread.
// Enters: cases. Leaves: for each operation the nanoseconds of each round, or why there are none.

import { within } from "../measure/deadline.ts";
import { type ChildProcesses, describeExit } from "../measure/processes.ts";
import type { Case } from "./figures.ts";

export interface RoundsOptions {
  readonly children: ChildProcesses;
  readonly signal: AbortSignal;
  /** The argument vectors before --case and --ms. */
  readonly typescript: readonly string[];
  readonly baseline: readonly string[];
  readonly rounds: number;
  /** How long to measure an operation, each round. */
  readonly ms: number;
  readonly onProgress: (round: number, name: string) => void;
}

/** By operation, `baseline` for the native half: nanoseconds, a value a round. */
export interface Measured {
  readonly typescript: Map<string, number[]>;
  readonly baseline: number[];
  /** The first thing that went wrong; the case is then not measured again. */
  failure: string | null;
}

interface Line {
  readonly case: string;
  readonly ns: Readonly<Record<string, number>>;
}

/** Far beyond what a case takes. */
const processTimeoutMs = 60_000;

/** @throws {Interrupted} when the signal aborts. */
export async function measureRounds(
  cases: readonly Case[],
  options: RoundsOptions,
): Promise<ReadonlyMap<string, Measured>> {
  const measured = new Map<string, Measured>();
  for (let round = 0; round < options.rounds; round++) {
    for (const row of cases) {
      const so = measured.get(row.name) ?? { typescript: new Map(), baseline: [], failure: null };
      measured.set(row.name, so);
      if (so.failure !== null) continue;
      options.onProgress(round, row.name);
      so.failure = await measureCase(row, { round, into: so }, options);
    }
  }
  return measured;
}

/** @returns null, or what went wrong. */
async function measureCase(
  row: Case,
  { round, into }: { readonly round: number; readonly into: Measured },
  options: RoundsOptions,
): Promise<string | null> {
  const turns = [() => runTypeScript(row, into, options)];
  if (row.hasBaseline) turns.push(() => runBaseline(row, into, options));
  if (round % 2 === 1) turns.reverse(); // who comes second may find a warmer machine
  for (const turn of turns) {
    const failure = await turn();
    if (failure !== null) return failure;
  }
  return null;
}

async function runTypeScript(
  row: Case,
  into: Measured,
  options: RoundsOptions,
): Promise<string | null> {
  const ns = await runProcess(options.typescript, row.name, options);
  if (typeof ns === "string") return ns;
  for (const { name } of row.operations) {
    const value = ns[name];
    if (value === undefined) return `no figure for ${name}`;
    into.typescript.set(name, [...(into.typescript.get(name) ?? []), value]);
  }
  return null;
}

async function runBaseline(
  row: Case,
  into: Measured,
  options: RoundsOptions,
): Promise<string | null> {
  const ns = await runProcess(options.baseline, row.name, options);
  if (typeof ns === "string") return ns;
  if (ns["baseline"] === undefined) return "the baseline gave no figure";
  into.baseline.push(ns["baseline"]);
  return null;
}

/** @returns its nanoseconds by operation, or what went wrong. */
async function runProcess(
  argv: readonly string[],
  name: string,
  { children, signal, ms }: RoundsOptions,
): Promise<Line["ns"] | string> {
  let last = "";
  const child = children.start([...argv, "--case", name, "--ms", String(ms)], (line) => {
    last = line;
  });
  const exit = await within(child.exited, { timeoutMs: processTimeoutMs, signal });
  if (exit === null) {
    child.kill("SIGKILL");
    return `no result within ${processTimeoutMs / 1000} s`;
  }
  if (exit.code !== 0) return child.stderrTail || describeExit(exit);
  return parseLine(last)?.ns ?? `not understood: ${last.slice(0, 100)}`;
}

function parseLine(line: string): Line | null {
  try {
    const parsed = JSON.parse(line) as Line;
    return Object.values(parsed.ns).every(Number.isFinite) ? parsed : null;
  } catch {
    return null;
  }
}
