// regression: base against head, each built in a worktree of its own. Enters: two commits. Leaves:
// a table and a verdict on standard output, a folder with the result, the exit code that CI decides
// by.

import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { type Given, UsageError, whole, word, words } from "../command-line.ts";
import { annotations } from "../gate/annotations.ts";
import { CannotCompare, type GateRequest, runGate } from "../gate/gate.ts";
import { appendHistory, recordOfGate } from "../gate/history.ts";
import { serializeGate } from "../gate/json.ts";
import { leaveGate } from "../gate/leave.ts";
import { gateMetrics } from "../gate/metrics.ts";
import { defaultGateProfile, type GateProfile, gateProfiles } from "../gate/profiles.ts";
import type { GateResult, Revision } from "../gate/result.ts";
import { resolveRevisions } from "../gate/revisions.ts";
import { pathsOf } from "../gate/sides.ts";
import { renderGate } from "../gate/terminal.ts";
import { exitCodeOf } from "../gate/words.ts";
import { Worktrees } from "../gate/worktrees.ts";
import { chooseCpus } from "../host/cpus.ts";
import { Interrupted } from "../host/deadline.ts";
import { gatherEnvironment } from "../host/environment.ts";
import { Interruption } from "../host/interrupt.ts";
import { ChildProcesses } from "../host/processes.ts";
import { packagePaths } from "../paths.ts";
import { type Command, exitUsage, isSystemError, messageOf, print, say } from "./command.ts";
import { appendableFile, writableFolder } from "./files.ts";
import { listLines } from "./list.ts";

/** Metrics that gate only where they are asked to. */
export const advisory = gateMetrics.filter(({ gates }) => !gates).map(({ name }) => name);

/** Shared by all that decide between a base and a head. */
export const exitLines: readonly string[] = [
  "exit codes:",
  "  0  no regression",
  "  1  regression",
  "  2  could not be compared: a missing commit, a build that fails, a wrong option",
  "  3  inconclusive: too noisy to say; the detectable effect is in the table",
  "  4  the gate's own controls failed: its word is not to be trusted",
];

export const regressionCommand: Command = {
  name: "regression",
  summary: "whether one commit is slower than another, measured here, side by side",
  operands: "",
  options: [
    { name: "base", value: "REF", help: "the commit to compare with", read: word },
    { name: "head", value: "REF", help: "the commit in question; what is checked out", read: word },
    { name: "profile", value: "NAME", help: "how much to measure", read: profileNamed },
    {
      name: "gate",
      value: "A,B",
      help: `let these gate, too: ${advisory.join(", ")}`,
      read: asked,
    },
    {
      name: "seed",
      value: "N",
      help: "of orders and schedules",
      read: whole(0, 2 ** 32 - 1),
    },
    { name: "out", value: "DIR", help: "where reports go", read: word },
    { name: "history", value: "FILE", help: "append the head's figures to it", read: word },
    { name: "annotate", value: "", help: "GitHub annotations on what decided" },
    { name: "json", value: "", help: "regression.json on standard output instead of the table" },
  ],
  examples: [
    ["npm run bench:regression -- --base origin/main", "before a pull request"],
    ["npm run bench:regression -- --base v0.1.0 --head v0.2.0", "between two releases"],
    ["npm run bench:regression -- --base HEAD~1 --profile short", "a first look"],
  ],
  details: () => [
    `profiles (${defaultGateProfile} unless told):`,
    ...listLines(gateProfiles),
    "",
    ...exitLines,
  ],
  execute: async (given) => {
    const { base, head } = given.values as { base: string | null; head: string | null };
    if (base === null) throw new UsageError("regression needs --base REF, such as origin/main");
    if (process.platform !== "linux") throw new UsageError("regression measures on Linux only");
    const { root, loadGenerator } = packagePaths();
    if (!existsSync(loadGenerator)) throw new UsageError("not built; npm run build");
    const children = new ChildProcesses();
    process.on("exit", () => children.killAll());
    const interruption = new Interruption((signal) => say(`${signal}: stopping`));
    const { signal } = interruption;
    try {
      const revisions = await resolveRevisions(root, { base, head }, { children, signal });
      const places = placesOf(given, root);
      const result = await measure(given, revisions, { children, signal });
      show(given, result);
      keep(result, places);
      return exitCodeOf(result);
    } catch (error) {
      if (error instanceof Interrupted) return interruption.exitCode ?? exitUsage;
      if (error instanceof UsageError) throw error;
      // Not to end as Node does: 1 means a regression here.
      const told = error instanceof CannotCompare || isSystemError(error);
      say(`bench: ${told ? error.message : `not compared: ${(error as Error).stack}`}`);
      return exitUsage;
    }
  },
};

/** Where the result goes; known to be writable. */
interface Places {
  readonly folder: string;
  readonly history: string | null;
}

function placesOf({ values }: Given, root: string): Places {
  const folder = (values["out"] as string | null) ?? join(root, "reports");
  const history = values["history"] as string | null;
  return {
    folder: writableFolder(folder, "--out"),
    history: history === null ? null : appendableFile(history, "--history"),
  };
}

interface Started {
  readonly children: ChildProcesses;
  readonly signal: AbortSignal;
}

async function measure(
  { values }: Given,
  revisions: { readonly base: Revision; readonly head: Revision },
  started: Started,
): Promise<GateResult> {
  const paths = packagePaths();
  const startedAt = new Date().toISOString();
  const worktrees = new Worktrees(paths.root, started);
  const profile = values["profile"] as GateProfile | null;
  const seed = (values["seed"] as number | null) ?? 1;
  try {
    const head = await build(worktrees, "head", revisions.head);
    const base = await build(worktrees, "base", revisions.base);
    const request: GateRequest = {
      trees: { base: pathsOf(base), head: pathsOf(head) },
      profile: profile ?? profileNamed(defaultGateProfile, "--profile"),
      seed,
      asked: (values["gate"] as readonly string[] | null) ?? [],
      folder: worktrees.folder,
    };
    const environment = gatherEnvironment(paths.root);
    const means = { ...started, paths, cpus: chooseCpus() };
    const outcome = await runGate(request, { means, onProgress: say });
    return {
      schemaVersion: 1,
      kind: "regression",
      profile: request.profile.name,
      startedAt,
      finishedAt: new Date().toISOString(),
      seed,
      ...revisions,
      environment,
      ...outcome,
    };
  } finally {
    started.children.killAll();
    await worktrees.remove();
  }
}

async function build(worktrees: Worktrees, side: "base" | "head", revision: Revision) {
  say(`building ${side} ${revision.name} (${revision.commit})`);
  return await worktrees.build(side, revision);
}

function show({ values }: Given, result: GateResult): void {
  print(values["json"] === true ? serializeGate(result).trimEnd() : renderGate(result));
  if (values["annotate"] === true) for (const line of annotations(result)) print(line);
}

/** A verdict stands also where a disk is full by now. */
function keep(result: GateResult, { folder, history }: Places): void {
  try {
    say(relative(process.cwd(), leaveGate(result, folder)));
    if (history !== null) appendHistory(history, recordOfGate(result));
  } catch (error) {
    say(`bench: the result could not be kept: ${messageOf(error)}`);
  }
}

function profileNamed(text: string, option: string): GateProfile {
  const found = gateProfiles.find(({ name }) => name === text);
  if (found !== undefined) return found;
  const valid = gateProfiles.map(({ name }) => name).join(", ");
  throw new UsageError(`${option}: "${text}" is none of ${valid}`);
}

/** For --gate. */
export function asked(text: string, option: string): string[] {
  const names = words(text, option);
  const unknown = names.find((name) => !gateMetrics.some((metric) => metric.name === name));
  if (unknown === undefined) return names;
  throw new UsageError(`${option}: "${unknown}" is none of ${advisory.join(", ")}`);
}
