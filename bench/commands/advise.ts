// advise: recommends a strategy from the runs that this machine has measured.

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import { advise } from "../advice/advise.ts";
import type { Question } from "../advice/question.ts";
import { adviceJson, renderAdvice } from "../advice/words.ts";
import { hostPlanOf, machineRows, openMachines } from "../agents/machines.ts";
import {
  byteCount,
  flag,
  type Given,
  type OptionRow,
  option,
  UsageError,
  whole,
  words,
} from "../command-line.ts";
import { contenders } from "../contenders/catalogue.ts";
import type { Host } from "../host/host.ts";
import { LocalHost } from "../host/local.ts";
import type { Results } from "../model/results.ts";
import { usualPayloadBytes } from "../model/workloads/workload.ts";
import { isFolder } from "../report/write.ts";
import { type Command, exitUsage, print, readerExitLines, sayWrapped } from "./command.ts";
import { terminalOf } from "./measuring.ts";
import { readResults } from "./saved.ts";

const rows: readonly OptionRow[] = [
  option("connections", "N", "the number of connections that you expect", whole(1, 2_000_000)),
  option("active", "PERCENT", "share of them that carry messages; default: 100", share),
  option(
    "payload",
    "BYTES",
    `bytes per message; default: ${usualPayloadBytes}`,
    byteCount(1, 1 << 20),
  ),
  option("rate", "N", "messages per second; default: the best measured rate", whole(1, 1e7)),
  option("from", "PATH[,PATH]", "results.json, or folders of runs; default: reports/", words),
  ...machineRows,
  flag("json", "as JSON"),
];

export const adviseCommand: Command = {
  name: "advise",
  summary: "recommends a strategy from this machine's measurements",
  operands: "",
  options: rows,
  examples: [
    ["npm run bench -- advise --connections 10000", "all active, 64-byte messages"],
    ["npm run bench -- advise --connections 5000 --active 1", "of which 50 carry messages"],
    ["npm run bench -- advise --connections 10000 --from old/results.json", "by this run only"],
  ],
  details: () => [
    "It recommends a strategy if your scale was measured, or lies between two",
    "measured scales that differ in nothing else. Otherwise it gives the nearest",
    "scale with low confidence, and the command that measures yours. It exits with",
    "1 if nothing was measured.",
  ],
  exits: readerExitLines,
  execute: async (given) => {
    const question = questionOf(given);
    const host = new LocalHost();
    const { reports, inClone } = host.paths;
    const from = given.values["from"] as readonly string[] | null;
    const runs = runsFrom(from ?? (existsSync(reports) ? [reports] : []));
    if (runs === null) return exitUsage;
    const fingerprint = await fingerprintOf(given, host);
    const usable = ofOneMachine(runs, fingerprint, from !== null);
    const command = inClone ? "npm run bench --" : "npx io-selectors bench";
    const advice = advise(usable, question);
    const json = given.values["json"] === true;
    const terminal = { ...terminalOf(process.stdout), command, summaryOf };
    print(json ? adviceJson(advice, command) : renderAdvice(advice, terminal));
    return advice.kind === "answer" || advice.nearest !== null ? 0 : 1;
  },
};

/** The fingerprint of the machine that the server would run on. */
async function fingerprintOf(given: Given, host: Host): Promise<string> {
  if (hostPlanOf(given) === null) return (await host.environment()).fingerprint;
  const machines = await openMachines(given);
  try {
    return (await machines.host.environment()).fingerprint;
  } finally {
    await machines.close();
  }
}

function questionOf({ values }: Given): Question {
  const connections = values["connections"] as number | null;
  if (connections === null) throw new UsageError("advise needs --connections N");
  return {
    connections,
    activePercent: (values["active"] as number | null) ?? 100,
    payloadBytes: (values["payload"] as number | null) ?? usualPayloadBytes,
    ratePerSecond: values["rate"] as number | null,
  };
}

function share(text: string, option: string): number {
  const value = /^(\d+\.?\d*|\.\d+) ?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (value > 0 && value <= 100) return value;
  const idle = value === 0 ? "; the idle workload measures silent connections" : "";
  throw new UsageError(`${option}: "${text}" is not a percentage above 0, up to 100${idle}`);
}

/** Files as named, folders by their results.json; null if a file that was named is unsound. */
function runsFrom(paths: readonly string[]): Results[] | null {
  const files = [...new Set(paths.flatMap(filesAt).map((file) => realpathSync(file)))];
  const namedPaths = paths.filter((path) => !isFolder(path));
  const named = new Set(namedPaths.map((path) => realpathSync(path)));
  const read = files.map((file) => ({ file, run: readResults(relative(process.cwd(), file)) }));
  const unsound = read.some(({ file, run }) => run === null && named.has(file));
  return unsound ? null : read.flatMap(({ run }) => (run === null ? [] : [run]));
}

function filesAt(path: string): string[] {
  if (!existsSync(path)) throw new UsageError(`--from: "${path}" does not exist`);
  if (!isFolder(path)) return [path];
  const own = join(path, "results.json");
  if (existsSync(own)) return [own];
  return readdirSync(path)
    .map((name) => join(path, name, "results.json"))
    .filter((file) => existsSync(file));
}

/** Those of this machine, or of the one that is named. @throws {UsageError} if of several. */
function ofOneMachine(runs: readonly Results[], here: string, named: boolean): Results[] {
  const own = runs.filter(({ environment }) => environment.fingerprint === here);
  const foreign = runs.length - own.length;
  if (foreign === 0) return own;
  if (own.length > 0 || !named) {
    sayWrapped(`${foreign} of ${runs.length} runs left out: another machine, kernel or Node.`);
    return own;
  }
  if (new Set(runs.map(({ environment }) => environment.fingerprint)).size > 1) {
    throw new UsageError(
      "--from: these runs are of several machines, kernels or versions of Node; name runs of one",
    );
  }
  sayWrapped("! Measured on another machine, kernel or Node: figures of this machine may differ.");
  return [...runs];
}

function summaryOf(contender: string): string {
  return contenders.find(({ name }) => name === contender)?.summary ?? "";
}
