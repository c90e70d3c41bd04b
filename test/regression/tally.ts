// How often the gate is right on this machine, as it is now: many runs against a known head.
//
//   npm run build && node --import ./test/typescript.mjs test/regression/tally.ts WHAT
//
// Prints a line per run and the tally. Exit code 0 if the gate was right as often as required, else
// 1; 2 for bad arguments. With --resume each run is appended to a file, and is not run again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { controlText } from "../../bench/gate/controls.ts";
import { type GateOutcome, runGate } from "../../bench/gate/gate.ts";
import type { GateProfile } from "../../bench/gate/profiles.ts";
import { pathsOf } from "../../bench/gate/sides.ts";
import { changeText } from "../../bench/gate/words.ts";
import { chooseCpus } from "../../bench/host/cpus.ts";
import { LocalHost } from "../../bench/host/local.ts";
import { packagePaths } from "../../bench/paths.ts";
import type { RoundContext } from "../../bench/run/round.ts";
import { exitOnSignals } from "../programs/exit-on-signals.ts";
import { startNeighbour } from "../programs/neighbour.mjs";
import { optionLines, readOptions, UsageError, wholeNumber } from "../programs/options.ts";
import { nanosecondsOf } from "./planted-share.ts";
import { oneCallMore } from "./planted-tree.ts";
import { Seen, type SeenRun } from "./seen.ts";
import {
  type Compared,
  httpSubject,
  plantedTree,
  reactorSubject,
  type Subject,
} from "./subjects.ts";

const rows = [
  { name: "runs", value: "N", help: "how many; default: 50, 30 or 20" },
  { name: "profile", value: "NAME", help: "of the gate: short for silent and call, else default" },
  { name: "only", value: "NAME", help: "only this contender" },
  { name: "seed", value: "N", help: "of the first run; default: 1" },
  { name: "neighbour", value: "PERCENT", help: "of the servers' CPU, taken by another program" },
  { name: "resume", value: "FILE", help: "append each run to it; those in it already count" },
];

/** One question to the gate, whose answer is known. */
interface Experiment {
  readonly runs: number;
  readonly profile: string;
  readonly subject: (only: string | null) => Subject;
  readonly compared: (subject: Subject, context: RoundContext) => Promise<Compared>;
  readonly right: (outcome: GateOutcome, subject: Subject) => boolean;
  /** So many of the runs have to be right. */
  readonly share: number;
}

const folders: string[] = [];

const silent: Experiment = {
  runs: 50,
  profile: "short",
  subject: (only) => reactorSubject(folders, only),
  compared: async (subject) => subject.compared({ base: 0, head: 0 }),
  right: ({ outcome }) => outcome === "pass" || outcome === "inconclusive",
  share: 1,
};

const cpu: Experiment = {
  ...silent,
  runs: 20,
  profile: "default",
  compared: async (subject, context) => {
    const head = await plantedNs(0.05, { subject, context });
    return subject.compared({ base: 0, head });
  },
  right: (outcome, { name }) => isSlower(outcome, name, "serverCpuPerMessage"),
  share: 0.95,
};

const http = {
  profile: "default",
  subject: (only: string | null) => {
    if (only !== null) throw new UsageError("--only: the HTTP server is the only contender there");
    return httpSubject(folders);
  },
};

const experiments: Readonly<Record<string, Experiment>> = {
  silent,
  cpu,
  call: {
    ...silent,
    runs: 20,
    compared: async () => {
      const own = packagePaths().root;
      const head = pathsOf(plantedTree(oneCallMore, folders));
      return { trees: { base: pathsOf(own), head } };
    },
    right: (outcome, { name }) => isSlower(outcome, name, "systemCalls"),
  },
  improvement: {
    ...cpu,
    // Ten per cent less than a base of 1 / 0.9.
    compared: async (subject, context) => {
      const base = await plantedNs(1 / 0.9 - 1, { subject, context });
      return subject.compared({ base, head: 0 });
    },
    right: ({ outcome, cells }, { name }) =>
      outcome !== "regression" &&
      cells.some(
        ({ contender, metric, verdict }) =>
          contender === name && metric === "serverCpuPerMessage" && verdict === "improvement",
      ),
  },
  "http-silent": { ...silent, ...http, runs: 30 },
  "http-cpu": { ...cpu, ...http },
};

const host = new LocalHost();
process.on("exit", () => {
  host.killAll();
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
    if (given !== null) return await tally(name, experiment, given);
    process.stdout.write(`tally.ts ${Object.keys(experiments).join("|")}\n${optionLines(rows)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`tally: ${error.message}\n`);
    return 2;
  }
}

async function tally(
  name: string,
  experiment: Experiment,
  given: ReadonlyMap<string, string>,
): Promise<number> {
  const runs = wholeNumber(given.get("runs") ?? String(experiment.runs), "runs", 1, 10_000);
  const first = wholeNumber(given.get("seed") ?? "1", "seed", 0, 1e9);
  const only = given.get("only") ?? null;
  const subject = experiment.subject(only);
  const profile = profileOf(subject, given.get("profile") ?? experiment.profile);
  const neighbour = wholeNumber(given.get("neighbour") ?? "0", "neighbour", 0, 99);
  const details = [
    ...(only === null ? [] : [`only ${only}`]),
    ...(neighbour === 0 ? [] : [`beside a neighbour of ${neighbour} %`]),
  ];
  const of = [`${name}, profile ${profile.name}`, ...details].join(", ");
  const seen = openSeen(given.get("resume") ?? null, of);
  const seeds = Array.from({ length: runs }, (_, index) => first + index);
  const due = seeds.filter((seed) => !seen.has(seed));
  if (due.length < runs) say(`${runs - due.length} of ${runs} runs were done before`);
  if (due.length > 0) await measureRuns(due, { experiment, subject, profile, seen, neighbour });
  const counted = seen.runs.filter(({ seed }) => seeds.includes(seed));
  const right = counted.filter((run) => run.right).length;
  say(`${of}: ${summaryOf(counted)}`);
  return right >= experiment.share * runs ? 0 : 1;
}

interface Plan {
  readonly experiment: Experiment;
  readonly subject: Subject;
  readonly profile: GateProfile;
  readonly seen: Seen;
  /** Per cent of one CPU. */
  readonly neighbour: number;
}

async function measureRuns(due: readonly number[], plan: Plan): Promise<void> {
  const { experiment, subject, profile, seen, neighbour } = plan;
  const { signal } = new AbortController();
  const context: RoundContext = { host, signal, cpus: chooseCpus() };
  const compared = await experiment.compared(subject, context);
  if (neighbour > 0) {
    const { kill } = startNeighbour(neighbour, context.cpus.server);
    process.on("exit", kill);
  }
  for (const seed of due) {
    const started = performance.now();
    const request = { ...compared, profile, seed, asked: [], folder: folder() };
    const outcome = await runGate(request, { context, onProgress });
    const run: SeenRun = {
      seed,
      right: experiment.right(outcome, subject),
      outcome: outcome.outcome,
      seconds: Math.round((performance.now() - started) / 1000),
      brief: brief(outcome),
    };
    seen.add(run);
    const word = run.right ? "right" : "WRONG";
    say(`seed ${seed}: ${word}, ${run.outcome} (${run.seconds} s); ${run.brief}`);
    say(`  so far ${summaryOf(seen.runs)}`);
  }
}

function summaryOf(runs: readonly SeenRun[]): string {
  const counts: Record<string, number> = {};
  for (const { outcome } of runs) counts[outcome] = (counts[outcome] ?? 0) + 1;
  const words = Object.entries(counts).map(([word, count]) => `${word} ${count}`);
  const right = runs.filter((run) => run.right).length;
  return `${right} of ${runs.length} right; ${words.join(", ")}`;
}

function openSeen(file: string | null, of: string): Seen {
  try {
    return new Seen(file, of);
  } catch (error) {
    throw new UsageError(`--resume: ${(error as Error).message}`);
  }
}

/** Where the tally itself does not go. */
function onProgress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function brief({ cells, controls }: GateOutcome): string {
  const gating = cells.filter(({ gates }) => gates);
  const broken = controls.filter(({ held }) => !held).map((one) => `NOT ${controlText(one).name}`);
  const parts = gating.map(({ contender, metric, verdict, first }) => {
    const change = first === null ? "" : ` ${changeText(first)}`;
    return `${contender} ${metric} ${verdict}${change}`;
  });
  return [...broken, ...parts].join("; ");
}

function profileOf(subject: Subject, name: string): GateProfile {
  const found = subject.profile(name);
  if (found === null) throw new UsageError(`--profile: no "${name}"`);
  return found;
}

function isSlower({ outcome, cells }: GateOutcome, name: string, metric: string): boolean {
  return (
    outcome === "regression" &&
    cells.some(
      (cell) => cell.contender === name && cell.metric === metric && cell.verdict === "regression",
    )
  );
}

function plantedNs(
  share: number,
  { subject, context }: { readonly subject: Subject; readonly context: RoundContext },
): Promise<number> {
  const [load] = profileOf(subject, "default").loads;
  if (load === undefined) throw new Error("no load to measure under");
  const { usualNs } = subject;
  const treesOf = (head: number) => subject.compared({ base: 0, head }).trees;
  return nanosecondsOf(share, { load, usualNs, treesOf, context, onProgress, say });
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "io-selectors-tally-"));
  folders.push(made);
  return made;
}
