// The rounds: each case in TypeScript and natively, in turns, each time in a fresh process, so that
// a noisy minute falls on both and the luck of one process's memory layout shows as spread.

import { within } from "../host/deadline.ts";
import { describeExit, type Host } from "../host/host.ts";
import type { Case } from "./figures.ts";

interface RoundsOptions {
  readonly host: Host;
  readonly signal: AbortSignal;
  /** The argument vectors before --case and --ms. */
  readonly typescript: readonly string[];
  readonly baseline: readonly string[];
  readonly rounds: number;
  /** How long to measure an operation, each round. */
  readonly ms: number;
  readonly onProgress: (round: number, name: string) => void;
}

/** One case, once in each language. */
export interface MicroRound {
  /** Nanoseconds by operation. */
  readonly typescriptNs: Readonly<Record<string, number>>;
  /** Null if the case has no native half. */
  readonly baselineNs: number | null;
  /** The larger share of time that one of the two waited for a CPU; 0 if not available. */
  readonly waited: number;
}

export interface Measured {
  readonly rounds: MicroRound[];
  /** The first thing that went wrong; the case is then not measured again. */
  failure: string | null;
}

/** What measure.js and micro-baseline print. */
interface MicroLine {
  readonly ns: Readonly<Record<string, number>>;
  /** Share of the measured time in the run queue; null on systems that do not tell. */
  readonly waited: number | null;
}

/** Far beyond what a case takes. */
const processTimeoutMs = 60_000;

/** @throws {Interrupted} when the signal aborts. */
export async function measureRounds(
  cases: readonly Case[],
  options: RoundsOptions,
): Promise<ReadonlyMap<string, Measured>> {
  const measured = new Map<string, Measured>();
  for (const { name } of cases) measured.set(name, { rounds: [], failure: null });
  for (let round = 0; round < options.rounds; round++) {
    for (const row of cases) {
      const into = measured.get(row.name);
      if (into === undefined || into.failure !== null) continue;
      options.onProgress(round, row.name);
      const answer = await measureRound(row, round, options);
      if (typeof answer === "string") into.failure = answer;
      else into.rounds.push(answer);
    }
  }
  return measured;
}

/** @returns what went wrong, where something did. */
async function measureRound(
  row: Case,
  round: number,
  options: RoundsOptions,
): Promise<MicroRound | string> {
  const typescript = () => runProcess(options.typescript, row.name, options);
  const native = () => (row.hasBaseline ? runProcess(options.baseline, row.name, options) : null);
  // Who comes second may find a warmer machine.
  const first = round % 2 === 0 ? await typescript() : await native();
  if (typeof first === "string") return first;
  const second = round % 2 === 0 ? await native() : await typescript();
  if (typeof second === "string") return second;
  const [ts, baseline] = round % 2 === 0 ? [first, second] : [second, first];
  const missing = row.operations.find(({ name }) => ts?.ns[name] === undefined);
  if (ts === null || missing !== undefined) return `no figure for ${missing?.name}`;
  return {
    typescriptNs: ts.ns,
    baselineNs: baseline?.ns["baseline"] ?? null,
    waited: Math.max(ts.waited ?? 0, baseline?.waited ?? 0),
  };
}

/** @returns what it printed, or what went wrong. */
async function runProcess(
  argv: readonly string[],
  name: string,
  { host, signal, ms }: RoundsOptions,
): Promise<MicroLine | string> {
  let last = "";
  const child = host.start([...argv, "--case", name, "--ms", String(ms)], {
    onLine: (line) => {
      last = line;
    },
  });
  const exit = await within(child.exited, { timeoutMs: processTimeoutMs, signal });
  if (exit === null) {
    child.kill("SIGKILL");
    return `no result within ${processTimeoutMs / 1000} s`;
  }
  if (exit.code !== 0) return child.stderrTail || describeExit(exit);
  return parseLine(last) ?? `not understood: ${last.slice(0, 100)}`;
}

function parseLine(line: string): MicroLine | null {
  try {
    const parsed = JSON.parse(line) as MicroLine;
    return Object.values(parsed.ns).every(Number.isFinite) ? parsed : null;
  } catch {
    return null;
  }
}
