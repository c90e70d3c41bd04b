// How often the gate is right on this machine, as it is just now: many runs against a head that is
// known. npm run build && node --import ./test/typescript.mjs test/regression/tally.ts WHAT
// Enters: process.argv. Leaves: a line a run and the tally on standard output; exit code 0 where
// the gate was right as often as it has to be, else 1; 2 for bad arguments.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseCpus } from "../../bench/measure/cpus.ts";
import { ChildProcesses } from "../../bench/measure/processes.ts";
import type { Means } from "../../bench/measure/round.ts";
import { packagePaths } from "../../bench/paths.ts";
import { type GateOutcome, runGate } from "../../bench/regression/gate.ts";
import { measurePairs } from "../../bench/regression/pairs.ts";
import { type GateProfile, gateProfiles } from "../../bench/regression/profiles.ts";
import { pathsOf, type Trees } from "../../bench/regression/sides.ts";
import { changeText } from "../../bench/regression/words.ts";
import { median } from "../../bench/statistics/quantile.ts";
import { exitOnSignals } from "../programs/exit-on-signals.ts";
import { optionLines, readOptions, UsageError, wholeNumber } from "../programs/options.ts";
import { nanosecondsMore, oneCallMore, plant } from "./planted-tree.ts";

const rows = [
  { name: "runs", value: "N", help: "how many; 50 or 20 unless told" },
  { name: "profile", value: "NAME", help: "of the gate: short for silent and call, else default" },
  { name: "only", value: "NAME", help: "only this contender" },
  { name: "seed", value: "N", help: "of the first run; 1 unless told" },
];

/** One question to the gate, whose answer is known. */
interface Experiment {
  readonly runs: number;
  readonly profile: string;
  readonly trees: (means: Means) => Promise<Trees>;
  readonly right: (outcome: GateOutcome) => boolean;
  /** So many of the runs have to be right. */
  readonly share: number;
}

const own = packagePaths().root;
const same = { base: pathsOf(own), head: pathsOf(own) };
const reactor = "ts:reactor-epoll";
/** What a message costs that reactor where it could not be measured. */
const usualNanoseconds = 15_000;

const experiments: Readonly<Record<string, Experiment>> = {
  silent: {
    runs: 50,
    profile: "short",
    trees: async () => same,
    right: ({ outcome }) => outcome === "pass" || outcome === "inconclusive",
    share: 1,
  },
  cpu: {
    runs: 20,
    profile: "default",
    trees: async (means) => ({ ...same, head: await slower(0.05, means) }),
    right: (outcome) => isSlower(outcome, "serverCpuPerMessage"),
    share: 0.95,
  },
  call: {
    runs: 20,
    profile: "short",
    trees: async () => ({ ...same, head: pathsOf(plantedTree(oneCallMore)) }),
    right: (outcome) => isSlower(outcome, "systemCalls"),
    share: 1,
  },
  improvement: {
    runs: 20,
    profile: "default",
    // Ten per cent less than a base of 1 / 0.9.
    trees: async (means) => ({ ...same, base: await slower(1 / 0.9 - 1, means) }),
    right: ({ outcome, cells }) =>
      outcome !== "regression" &&
      cells.some(
        ({ contender, metric, verdict }) =>
          contender === reactor && metric === "serverCpuPerMessage" && verdict === "improvement",
      ),
    share: 0.95,
  },
};

const folders: string[] = [];
const children = new ChildProcesses();
process.on("exit", () => {
  children.killAll();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

process.exitCode = await main(process.argv.slice(2));

async function main([name = "", ...argv]: readonly string[]): Promise<number> {
  exitOnSignals();
  try {
    const experiment = Object.hasOwn(experiments, name) ? experiments[name] : undefined;
    if (experiment === undefined) {
      throw new UsageError(`tally of what? one of ${Object.keys(experiments).join(", ")}`);
    }
    const given = readOptions(argv, rows);
    if (given !== null) return await tally(experiment, given);
    process.stdout.write(`tally.ts ${Object.keys(experiments).join("|")}\n${optionLines(rows)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`tally: ${error.message}\n`);
    return 2;
  }
}

async function tally(experiment: Experiment, given: ReadonlyMap<string, string>): Promise<number> {
  const runs = wholeNumber(given.get("runs") ?? String(experiment.runs), "runs", 1, 10_000);
  const first = wholeNumber(given.get("seed") ?? "1", "seed", 0, 1e9);
  const profile = profileOf(given.get("profile") ?? experiment.profile, given.get("only"));
  const { signal } = new AbortController();
  const means: Means = { paths: packagePaths(), children, signal, cpus: chooseCpus() };
  const trees = await experiment.trees(means);
  const counts: Record<string, number> = {};
  let right = 0;
  for (let run = 1; run <= runs; run++) {
    const started = performance.now();
    const request = { trees, profile, seed: first + run - 1, asked: [], folder: folder() };
    const outcome = await runGate(request, { means, onProgress: () => {} });
    const isRight = experiment.right(outcome);
    right += isRight ? 1 : 0;
    counts[outcome.outcome] = (counts[outcome.outcome] ?? 0) + 1;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    const word = isRight ? "right" : "WRONG";
    say(`${run}/${runs} ${word} ${outcome.outcome} (${seconds} s) ${brief(outcome)}`);
  }
  const words = Object.entries(counts).map(([word, count]) => `${word} ${count}`);
  say(`${right} of ${runs} right; ${words.join(", ")}`);
  return right >= experiment.share * runs ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function brief({ cells, controls }: GateOutcome): string {
  const gating = cells.filter(({ gates }) => gates);
  const broken = controls.filter(({ held }) => !held).map(({ name }) => `NOT ${name}`);
  const parts = gating.map(({ contender, metric, verdict, first }) => {
    const change = first === null ? "" : ` ${changeText(first)}`;
    return `${contender} ${metric} ${verdict}${change}`;
  });
  return [...broken, ...parts].join("; ");
}

function profileOf(name: string, only: string | undefined): GateProfile {
  const found = gateProfiles.find((profile) => profile.name === name);
  if (found === undefined) throw new UsageError(`--profile: no "${name}"`);
  if (only === undefined) return found;
  const narrow = <Row extends { readonly contenders: readonly string[] }>(all: readonly Row[]) =>
    all
      .map((row) => ({ ...row, contenders: row.contenders.filter((one) => one === only) }))
      .filter(({ contenders }) => contenders.length > 0);
  return { ...found, loads: narrow(found.loads), exact: narrow(found.exact) };
}

function isSlower({ outcome, cells }: GateOutcome, metric: string): boolean {
  return (
    outcome === "regression" &&
    cells.some(
      (cell) =>
        cell.contender === reactor && cell.metric === metric && cell.verdict === "regression",
    )
  );
}

/** The reactor, costing that share more a message. */
async function slower(share: number, means: Means) {
  const [echo] = profileOf("default", reactor).loads;
  if (echo === undefined) throw new Error("no load to measure under");
  const row = { ...echo, pairs: 4, attempts: 8 };
  const [course] = await measurePairs(row, { means, trees: same, seed: 1, onProgress: () => {} });
  const costs = (course?.blocks ?? []).flatMap(({ base }) => base?.["serverCpuPerMessage"] ?? []);
  const nanoseconds = costs.length === 0 ? usualNanoseconds : 1000 * median(costs);
  const cost = (nanoseconds / 1000).toFixed(1);
  say(`a message costs ${cost} µs; planted: ${(share * 100).toFixed(1)} % of it`);
  return pathsOf(plantedTree(nanosecondsMore(share * nanoseconds)));
}

function plantedTree(fault: Parameters<typeof plant>[1]): string {
  const tree = plant(own, fault);
  folders.push(tree);
  return tree;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "io-selectors-tally-"));
  folders.push(made);
  return made;
}
