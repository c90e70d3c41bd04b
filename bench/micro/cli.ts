// `npm run bench:micro`: the cost of a call of the library, and of the same call in C++. It starts
// when it is imported and leaves its exit code in process.exitCode; no figure decides that code.

import { join } from "node:path";
import { availableBackends } from "../../src/index.ts";
import { flag, type OptionRow, option, parseOptions, UsageError, whole } from "../command-line.ts";
import { Interrupted } from "../host/deadline.ts";
import { Interruption } from "../host/interrupt.ts";
import { LocalHost } from "../host/local.ts";
import { guardStreams, OutputError, writeOutput } from "../host/output.ts";
import { painter } from "../report/text-table.ts";
import { type Case, cases, casesFor, findCase } from "./figures.ts";
import { measureRounds } from "./rounds.ts";
import { renderTable } from "./table.ts";
import { figuresOf, type MicroFigure } from "./verdict.ts";

const exitFailure = 1;
const exitUsage = 2;
const help = `npm run bench:micro -- [options]

Measures what a call of the library costs, and the same call in C++, and reports which targets are
met.

options:
  --cases A,B   only these: ${cases.map(({ name }) => name).join(" ")}
  --rounds N    passes over the cases, each a fresh process in both languages; 15 unless given
  --ms N        how long to measure an operation each round; 40 unless given
  --json        the figures as JSON
  --help        this text`;

const rows: readonly OptionRow[] = [
  option("cases", "A,B", "only these", casesNamed),
  option("rounds", "N", "passes over the cases", whole(1, 1000)),
  option("ms", "N", "how long to measure an operation each round", whole(1, 10_000)),
  flag("json", "the figures as JSON"),
];

interface MicroRequest {
  /** Null for every one that works here. */
  readonly cases: readonly Case[] | null;
  readonly rounds: number;
  readonly ms: number;
  readonly json: boolean;
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  guardStreams("bench:micro");
  try {
    const request = parseRequest(argv);
    if (request === "help") return print(help);
    return await run(request);
  } catch (error) {
    const lost = error instanceof OutputError;
    if (!lost && !(error instanceof UsageError)) throw error;
    say(`bench:micro: ${error.message}`);
    return lost ? exitFailure : exitUsage;
  }
}

async function run(request: MicroRequest): Promise<number> {
  const host = new LocalHost();
  const { root, node } = host.paths;
  const wanted = request.cases ?? casesHere();
  process.on("exit", () => host.killAll());
  const interruption = new Interruption((signal) => say(`${signal}: stopping`));
  try {
    const measured = await measureRounds(wanted, {
      host,
      signal: interruption.signal,
      typescript: [node, join(root, "dist", "bench", "micro", "measure.js")],
      baseline: [join(root, "build", "Release", "micro-baseline")],
      rounds: request.rounds,
      ms: request.ms,
      onProgress: (round, name) => say(`round ${round + 1} of ${request.rounds}: ${name}`),
    });
    return report(figuresOf(wanted, measured), request);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    host.killAll();
    return interruption.exitCode ?? 1;
  }
}

/** @returns 1 where nothing could be measured. */
function report(figures: readonly MicroFigure[], { rounds, ms, json }: MicroRequest): number {
  if (json) {
    print(
      JSON.stringify({ schemaVersion: 1, node: process.version, rounds, ms, figures }, null, 2),
    );
  } else {
    const colour = process.stdout.isTTY === true && !process.env["NO_COLOR"];
    print(renderTable(figures, painter(colour)));
  }
  return figures.some(({ typescriptNs }) => typescriptNs !== null) ? 0 : 1;
}

function parseRequest(argv: readonly string[]): MicroRequest | "help" {
  const { values, words } = parseOptions(argv, rows);
  if (values["help"] === true) return "help";
  if (words.length > 0)
    throw new UsageError(`unknown argument "${words[0]}"; --help lists options`);
  return {
    cases: values["cases"] as readonly Case[] | null,
    rounds: (values["rounds"] as number | null) ?? 15,
    ms: (values["ms"] as number | null) ?? 40,
    json: values["json"] === true,
  };
}

/** Every case whose backend works here; what does not is said. */
function casesHere(): readonly Case[] {
  const backends = availableBackends();
  for (const { name, reason } of backends) if (reason !== null) say(`without ${name}: ${reason}`);
  return casesFor(backends.filter(({ available }) => available).map(({ name }) => name));
}

function casesNamed(text: string): Case[] {
  return text.split(",").map((name) => {
    const found = findCase(name.trim());
    if (found !== undefined) return found;
    throw new UsageError(`unknown case "${name}"; --help names them`);
  });
}

function print(text: string): number {
  writeOutput(`${text}\n`);
  return 0;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
