// `npm run test:fuzz`: random sequences on every backend against the model, then random arguments
// for every export. Exit code 1 if anything differed or crashed, 2 for bad arguments.

import { randomInt } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { missingBackends, selectorClasses } from "../conformance/backends.ts";
import { engines } from "../connections/engines.ts";
import { exitOnSignals } from "../programs/exit-on-signals.ts";
import {
  type OptionRow,
  optionLines,
  readOptions,
  UsageError,
  wholeNumber,
} from "../programs/options.ts";
import { formatCount, Progress } from "../programs/progress.ts";
import { callAtRandom } from "./argument-calls.ts";
import { type ConnectionWay, huntConnections } from "./connection-hunt.ts";
import { type Backend, Difference, type Figures, hunt } from "./hunt.ts";

const rows: readonly OptionRow[] = [
  { name: "seed", value: "N", help: "of everything random; a random one unless given" },
  { name: "operations", value: "N", help: "on each backend; 1000000 unless given" },
  { name: "calls", value: "N", help: "with random arguments, 0 for none; 100000 unless given" },
  {
    name: "connections",
    value: "N",
    help: "operations on connections, by all engines together; 1000000 unless given",
  },
  { name: "engine", value: "NAME", help: "of connections, such as readiness-over-epoll" },
  { name: "backend", value: "A[,B]", help: "only these; all that work here unless given" },
];

interface Request {
  readonly seed: number;
  readonly operations: number;
  readonly calls: number;
  readonly connections: number;
  readonly ways: readonly ConnectionWay[];
  readonly backends: readonly Backend[];
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  exitOnSignals();
  try {
    const given = readOptions(argv, rows);
    if (given !== null) return await fuzz(toRequest(given));
    console.log(`npm run test:fuzz -- [options]\n\n${optionLines(rows)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`fuzz: ${error.message}`);
    return 2;
  }
}

function toRequest(given: ReadonlyMap<string, string>): Request {
  const whole = (name: string, unlessGiven: number, low: number, high: number) => {
    const text = given.get(name);
    return text === undefined ? unlessGiven : wholeNumber(text, name, low, high);
  };
  return {
    seed: whole("seed", randomInt(2 ** 32), 0, 2 ** 32 - 1),
    operations: whole("operations", 1_000_000, 0, 1e12),
    calls: whole("calls", 100_000, 0, 1e9),
    connections: whole("connections", 1_000_000, 0, 1e12),
    ways: chooseEngines(given.get("engine")),
    backends: chooseBackends(given.get("backend")),
  };
}

function chooseEngines(text: string | undefined): readonly ConnectionWay[] {
  if (text === undefined) return engines;
  const known = (name: string) => name.replaceAll(" ", "-");
  const found = engines.filter(([name]) => known(name) === text);
  if (found.length > 0) return found;
  const all = engines.map(([name]) => known(name)).join(" ");
  throw new UsageError(`--engine: "${text}" is not one of: ${all}`);
}

function chooseBackends(text: string | undefined): readonly Backend[] {
  if (text === undefined) return selectorClasses;
  return [...new Set(text.split(","))].map((name) => {
    const found = selectorClasses.find(([known]) => known === name);
    if (found !== undefined) return found;
    const missing = missingBackends.find(([known]) => known === name);
    if (missing !== undefined) throw new UsageError(`${name} does not work here: ${missing[1]}`);
    const names = selectorClasses.map(([known]) => known).join(" ");
    throw new UsageError(`--backend: "${name}" is not one of: ${names}`);
  });
}

async function fuzz({ seed, operations, calls, backends, ...rest }: Request): Promise<number> {
  const names = backends.map(([name]) => name).join(", ");
  console.log(`fuzz: seed ${seed}; ${names}`);
  for (const [name, reason] of missingBackends) console.log(`fuzz: not ${name}: ${reason}`);
  try {
    if (operations > 0) console.log(await play(backends, seed, operations));
    if (calls > 0) console.log(call(seed, calls));
    if (rest.connections > 0) console.log(await connect(rest, seed));
    return 0;
  } catch (error) {
    console.error(`fuzz: ${error instanceof Error ? error.message : String(error)}`);
    if (!(error instanceof Difference)) console.error(`fuzz: the seed was ${seed}`);
    return 1;
  }
}

async function play(
  backends: readonly Backend[],
  seed: number,
  operations: number,
): Promise<string> {
  const progress = new Progress(operations, "operations");
  let last: Figures | undefined;
  try {
    for (last of hunt(backends, seed, operations)) {
      progress.show(last.operations);
      await setImmediate(); // signals
    }
  } finally {
    progress.clear();
  }
  const { compared = 0, ruled = 0 } = last ?? {};
  const rate = operations / progress.seconds;
  return (
    `fuzz: ${formatCount(operations)} operations on each of ${backends.length} backends: all as ` +
    `the model; ${formatCount(compared)} answers equal, ${formatCount(ruled)} kept apart by a ` +
    `rule; ${progress.seconds.toFixed(1)} s, ${formatCount(rate)} operations/s`
  );
}

async function connect(
  { connections, ways }: Pick<Request, "connections" | "ways">,
  seed: number,
): Promise<string> {
  const each = Math.ceil(connections / ways.length);
  const progress = new Progress(each * ways.length, "operations on connections");
  const sum = { operations: 0, connections: 0, bytes: 0 };
  try {
    for (const way of ways) {
      let last = { operations: 0, connections: 0, bytes: 0 };
      for await (last of huntConnections(way, seed, each)) {
        progress.show(sum.operations + last.operations);
      }
      sum.operations += last.operations;
      sum.connections += last.connections;
      sum.bytes += last.bytes;
    }
  } finally {
    progress.clear();
  }
  return (
    `fuzz: ${formatCount(sum.operations)} operations on ${formatCount(sum.connections)} ` +
    `connections by ${ways.length} engines: all as the model; ${formatCount(sum.bytes)} bytes; ` +
    `${progress.seconds.toFixed(1)} s`
  );
}

function call(seed: number, calls: number): string {
  const startedMs = performance.now();
  const { returned, threw, exports } = callAtRandom(seed, calls);
  return (
    `fuzz: ${formatCount(calls)} calls of ${Object.keys(exports).length} exports with random ` +
    `arguments: ${formatCount(returned)} answered, ${formatCount(threw)} threw, none crashed; ` +
    `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
  );
}
