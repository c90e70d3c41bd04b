// regression: base against head, each built in a worktree of its own.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Machines, machineRows } from "../agents/machines.ts";
import {
  flag,
  type Given,
  type OptionRow,
  option,
  seconds,
  UsageError,
  whole,
  word,
} from "../command-line.ts";
import { annotations } from "../gate/annotations.ts";
import { type ForeignServer, foreignProfile, foreignTrees } from "../gate/foreign.ts";
import { type GateRequest, refuseUnmeasured, runGate } from "../gate/gate.ts";
import { appendHistory, recordOfGate } from "../gate/history.ts";
import { serializeGate } from "../gate/json.ts";
import { leaveGate } from "../gate/leave.ts";
import { defaultGateProfile, type GateProfile, gateProfiles } from "../gate/profiles.ts";
import type { GateResult } from "../gate/result.ts";
import { forgetRepository, repositoryOf, resolveRevisions } from "../gate/revisions.ts";
import { pathsOf } from "../gate/sides.ts";
import { renderGate } from "../gate/terminal.ts";
import type { ToolContext } from "../gate/tool.ts";
import { exitCodeOf } from "../gate/words.ts";
import { Worktrees } from "../gate/worktrees.ts";
import { Interrupted } from "../host/deadline.ts";
import { anySignal, Interruption } from "../host/interrupt.ts";
import { LocalHost } from "../host/local.ts";
import { OutputError, widthOf } from "../host/output.ts";
import { plural } from "../report/format.ts";
import { protocolRows, requestsOf, requestWords, shownOptions, spokenBy } from "../run/protocol.ts";
import { type Command, exitUsage, messageOf, print, say } from "./command.ts";
import { advisory, asked, decidingExitLines, notCompared, refuseMixed } from "./deciding.ts";
import { appendableFile, shortPath, writableFolder } from "./files.ts";
import { gateFile, isGiven, withGateFile } from "./gate-file.ts";
import { listLines } from "./listing.ts";
import { type Comparing, type OpenTrees, openTrees, refuseMachines } from "./regression-trees.ts";
import { refuseOptions } from "./spoken.ts";

const usualConnections = 100;
const usualRate = 1_000;
const usualReadySeconds = 15;
/** Twice the effect that the gate is to see, so that few pairs are enough. */
const usualPlantedPercent = 10;

/** A server of the repository that this is run in. */
const serverRows: readonly OptionRow[] = [
  option(
    "command",
    "'CMD {port}'",
    "your server, started in the tree of each commit; without it, the suite's own servers",
    word,
  ),
  option("build", "'CMD'", "builds the tree of each commit", word),
  ...protocolRows,
  option(
    "connections",
    "N",
    `connections to your server; default: ${usualConnections}`,
    whole(1, 100_000),
  ),
  option("rate", "N", `requests per second; default: ${usualRate}`, whole(1, 1e6)),
  option(
    "ready-within",
    "SECONDS",
    `how long it may take to listen; default: ${usualReadySeconds}`,
    seconds(0.05, 3600),
  ),
  option(
    "planted-percent",
    "N",
    `percentage of CPU time that the control adds; default: ${usualPlantedPercent}`,
    // Less lies too near to the margin to be detected in any run.
    whole(5, 1000),
  ),
];

const rows: readonly OptionRow[] = [
  option("base", "REF", "the commit to compare with", word),
  option("head", "REF", "the commit to test; default: the checked-out one", word),
  ...serverRows,
  ...machineRows,
  option("profile", "NAME", "how much to measure", profileNamed),
  option("gate", "A,B", `metrics that also decide: ${advisory.join(", ")}`, asked),
  option("seed", "N", "seed of orders and schedules", whole(0, 2 ** 32 - 1)),
  option("out", "DIR", "folder for reports", word),
  option("history", "FILE", "appends the head's figures to this file", word),
  flag("annotate", "GitHub annotations on the deciding cells"),
  flag("json", "regression.json on standard output instead of the table"),
];

export const regressionCommand: Command = {
  name: "regression",
  summary: "measures whether one commit is slower than another",
  operands: "",
  options: rows,
  examples: [
    ["npm run bench:regression -- --base origin/main", "before a pull request", "clone"],
    ["npm run bench:regression -- --base OLD_TAG --head NEW_TAG", "between two releases", "clone"],
    ["npm run bench:regression -- --base HEAD~1 --profile short", "a first look", "clone"],
    [
      "npx io-selectors regression --base origin/main --build 'npm ci && npm run build' " +
        "--command 'node dist/server.js {port}' --protocol http --path /",
      `your own repository's server; ${gateFile} there may hold the options`,
    ],
  ],
  details: () => [`profiles (default: ${defaultGateProfile}):`, ...listLines(gateProfiles)],
  exits: decidingExitLines,
  execute: async (typed) => {
    refuseMixed(typed);
    const given = withGateFile(typed, rows, process.cwd());
    const { base, head } = given.values as { base: string | null; head: string | null };
    if (base === null) throw new UsageError("regression needs --base REF, such as origin/main");
    if (process.platform !== "linux") throw new UsageError("regression measures on Linux only");
    const host = new LocalHost();
    const server = serverOf(given);
    refuseMachines(given, server !== null);
    if (!existsSync(host.paths.loadGenerator)) {
      throw new UsageError("the native programs are not built; run: npm run build");
    }
    forgetRepository(process.env);
    process.on("exit", () => host.killAll());
    const interruption = new Interruption((signal) => say(`${signal}: stopping`));
    const context = { host, signal: interruption.signal };
    try {
      if (server !== null) await refuseOptions(server.spoken);
      const repository =
        server === null
          ? { root: host.paths.root, folder: "" }
          : await repositoryOf(process.cwd(), context);
      const written = writtenBy(given, repository.root);
      const asked = { base, head, written: Object.values(written) };
      const revisions = await resolveRevisions(repository.root, asked, context);
      const places = placesOf(written);
      const result = await compare({ given, revisions, repository }, server, context);
      keep(result, places);
      show(given, result);
      return exitCodeOf(result);
    } catch (error) {
      if (error instanceof Interrupted) return interruption.exitCode ?? exitUsage;
      return notCompared(error);
    }
  },
};

/** Where the result goes. */
interface Places {
  readonly folder: string;
  readonly history: string | null;
}

function writtenBy({ values }: Given, root: string): Places {
  const folder = (values["out"] as string | null) ?? join(root, "reports");
  return { folder, history: values["history"] as string | null };
}

function placesOf({ folder, history }: Places): Places {
  return {
    folder: writableFolder(folder, "--out"),
    history: history === null ? null : appendableFile(history, "--history"),
  };
}

/** @param server null for the suite's own servers. */
async function compare(
  what: Omit<Comparing, "foreign">,
  server: ForeignServer | null,
  context: ToolContext,
): Promise<GateResult> {
  const worktrees = new Worktrees(what.repository.root, context);
  try {
    const comparing = { ...what, foreign: server !== null };
    const trees = await openTrees(comparing, worktrees, context);
    const { machines } = trees;
    process.on("exit", () => machines.host.killAll());
    for (const line of machines.coming) say(line);
    const signal = anySignal(context.signal, machines.lost);
    try {
      return await measure({ comparing, server, trees, worktrees }, { ...context, signal });
    } finally {
      for (const line of machines.outcome()) say(line);
      machines.host.killAll();
      await trees.close();
    }
  } finally {
    context.host.killAll();
    const left = await worktrees.remove();
    if (left !== null) say(`bench: ${left}`);
  }
}

interface BuildAndMeasure {
  readonly comparing: Comparing;
  readonly server: ForeignServer | null;
  readonly trees: OpenTrees;
  readonly worktrees: Worktrees;
}

async function measure(
  { comparing, server, trees, worktrees }: BuildAndMeasure,
  { host, signal }: ToolContext,
): Promise<GateResult> {
  const startedAt = new Date().toISOString();
  const { values } = comparing.given;
  const { revisions } = comparing;
  const { machines } = trees;
  const usual =
    (values["profile"] as GateProfile | null) ?? profileNamed(defaultGateProfile, "--profile");
  const profile = server === null ? usual : measurable(foreignProfile(usual, server), machines);
  const asked = (values["gate"] as readonly string[] | null) ?? [];
  refuseUnmeasured(profile, asked);
  const seed = (values["seed"] as number | null) ?? 1;
  const build = async (side: "base" | "head") => {
    const { name, commit } = revisions[side];
    say(`building ${side} ${name} (${commit})`);
    return await trees.build(side);
  };
  const [head, base] = [await build("head"), await build("base")];
  const programs = machines.fleet?.serverPrograms ?? host.paths;
  const request: GateRequest = {
    trees:
      server === null
        ? { base: pathsOf(base), head: pathsOf(head) }
        : foreignTrees(server, { base, head, ...programs }, host.paths),
    profile,
    seed,
    asked,
    folder: worktrees.folder,
  };
  const environment = await machines.host.environment();
  const context = { host: machines.host, signal, cpus: await machines.host.cpus() };
  const outcome = await runGate(request, { context, onProgress: say });
  return {
    schemaVersion: 1,
    kind: "regression",
    profile: request.profile.name,
    ...(server === null ? {} : { load: loadOf(server, comparing) }),
    startedAt,
    finishedAt: new Date().toISOString(),
    seed,
    ...revisions,
    environment,
    ...outcome,
  };
}

/** What tells the figures of one server and load from those of another. */
export function loadOf(
  { command, spoken, connections, ratePerSecond }: ForeignServer,
  { given, repository: { folder } }: Pick<Comparing, "given" | "repository">,
): string {
  const options = shownOptions(given, spoken);
  // The command itself may hold names and paths of its owner's.
  const digest = createHash("sha256").update(command).digest("hex").slice(0, 8);
  return [
    requestWords(requestsOf({ settings: { options } })),
    ...[plural(connections, "connection"), `${ratePerSecond}/s`],
    ...(folder === "" ? [] : [folder]),
    `command ${digest}`,
  ].join(", ");
}

/** Without what needs the load generator on the server's machine. */
function measurable(profile: GateProfile, { fleet }: Machines): GateProfile {
  const loads = profile.loads.filter(({ workload }) => workload !== "memory");
  if (fleet === null || loads.length === profile.loads.length) return profile;
  say("memory per connection is not compared: it is measured on one machine only");
  return { ...profile, loads };
}

/** Null without --command. @throws {UsageError} on options that need it. */
function serverOf(given: Given): ForeignServer | null {
  const { values } = given;
  const command = values["command"] as string | null;
  if (command === null) {
    const alone = serverRows.find(({ name }) => isGiven(values[name]));
    if (alone !== undefined) throw new UsageError(`--${alone.name} needs --command`);
    return null;
  }
  if (!command.includes("{port}")) {
    throw new UsageError(`--command: no {port} in "${command}"; the server gets its port there`);
  }
  const number = (name: string, usual: number) => (values[name] as number | null) ?? usual;
  return {
    name: "server",
    command,
    spoken: spokenBy(given),
    readySeconds: number("ready-within", usualReadySeconds),
    connections: number("connections", usualConnections),
    ratePerSecond: number("rate", usualRate),
    plantedPercent: number("planted-percent", usualPlantedPercent),
  };
}

/** The verdict stands also if standard output is lost. */
function show({ values }: Given, result: GateResult): void {
  const text = () => renderGate(result, { width: widthOf(process.stdout) });
  try {
    print(values["json"] === true ? serializeGate(result).trimEnd() : text());
    if (values["annotate"] === true) for (const line of annotations(result)) print(line);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    say(`bench: ${error.message}`);
  }
}

/** A verdict stands also where a disk is full by now. */
function keep(result: GateResult, { folder, history }: Places): void {
  try {
    say(shortPath(leaveGate(result, folder)));
    if (history !== null) appendHistory(history, recordOfGate(result));
  } catch (error) {
    say(`bench: the result could not be saved: ${messageOf(error)}`);
  }
}

function profileNamed(text: string, option: string): GateProfile {
  const found = gateProfiles.find(({ name }) => name === text);
  if (found !== undefined) return found;
  const valid = gateProfiles.map(({ name }) => name).join(", ");
  throw new UsageError(`${option}: "${text}" is not one of ${valid}`);
}
