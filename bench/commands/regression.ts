// regression: base against head, each built in a worktree of its own.

import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { type Given, UsageError, whole, word } from "../command-line.ts";
import { annotations } from "../gate/annotations.ts";
import { CannotCompare, type GateRequest, runGate } from "../gate/gate.ts";
import { appendHistory, recordOfGate } from "../gate/history.ts";
import { serializeGate } from "../gate/json.ts";
import { leaveGate } from "../gate/leave.ts";
import { defaultGateProfile, type GateProfile, gateProfiles } from "../gate/profiles.ts";
import type { GateResult, Revision } from "../gate/result.ts";
import { resolveRevisions } from "../gate/revisions.ts";
import { pathsOf } from "../gate/sides.ts";
import { renderGate } from "../gate/terminal.ts";
import type { ToolContext } from "../gate/tool.ts";
import { exitCodeOf } from "../gate/words.ts";
import { Worktrees } from "../gate/worktrees.ts";
import { Interrupted } from "../host/deadline.ts";
import { Interruption } from "../host/interrupt.ts";
import { LocalHost } from "../host/local.ts";
import { type Command, exitUsage, isSystemError, messageOf, print, say } from "./command.ts";
import { advisory, asked, decidingExitLines } from "./deciding.ts";
import { appendableFile, writableFolder } from "./files.ts";
import { listLines } from "./listing.ts";

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
  details: () => [`profiles (${defaultGateProfile} unless told):`, ...listLines(gateProfiles)],
  exits: decidingExitLines,
  execute: async (given) => {
    const { base, head } = given.values as { base: string | null; head: string | null };
    if (base === null) throw new UsageError("regression needs --base REF, such as origin/main");
    if (process.platform !== "linux") throw new UsageError("regression measures on Linux only");
    const host = new LocalHost();
    const { root, loadGenerator } = host.paths;
    if (!existsSync(loadGenerator)) throw new UsageError("not built; npm run build");
    process.on("exit", () => host.killAll());
    const interruption = new Interruption((signal) => say(`${signal}: stopping`));
    const { signal } = interruption;
    try {
      const revisions = await resolveRevisions(root, { base, head }, { host, signal });
      const places = placesOf(given, root);
      const result = await measure(given, revisions, { host, signal });
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

async function measure(
  { values }: Given,
  revisions: { readonly base: Revision; readonly head: Revision },
  { host, signal }: ToolContext,
): Promise<GateResult> {
  const startedAt = new Date().toISOString();
  const worktrees = new Worktrees(host.paths.root, { host, signal });
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
    const environment = await host.environment();
    const context = { host, signal, cpus: await host.cpus() };
    const outcome = await runGate(request, { context, onProgress: say });
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
    host.killAll();
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
