// `npm run bench`: reads the command line, runs, writes the report, prints the table. It starts
// when it is imported and leaves its exit code in process.exitCode. Enters: process.argv. Leaves:
// results on standard output and in reports/, progress on standard error. Standard input is never
// read.

import { accessSync, constants, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { contenders, reference } from "./contenders/catalogue.ts";
import { Interruption } from "./interrupt.ts";
import { type CpuPlan, chooseCpus } from "./measure/cpus.ts";
import { gatherEnvironment } from "./measure/environment.ts";
import { warnings } from "./measure/limits.ts";
import { readMachineLimits } from "./measure/machine-limits.ts";
import { ChildProcesses } from "./measure/processes.ts";
import { optionLines, parseCommand, type Request, UsageError } from "./options.ts";
import { type Paths, packagePaths } from "./paths.ts";
import { describePlan, makePlan } from "./plan.ts";
import { defaultProfile, profiles } from "./profiles.ts";
import { ProgressLine } from "./progress.ts";
import { renderTerminal } from "./report/terminal.ts";
import { writeReport } from "./report/write.ts";
import type { Results } from "./results.ts";
import { exitCodeOf, run } from "./run.ts";

const exitUsage = 2;
/** Wide enough for every column where there is no terminal to fit. */
const pipeColumns = 160;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  // Whoever reads us may leave (`| head`): what is left to say is then said to nobody.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  try {
    const command = parseCommand(argv);
    if (command.name === "help") return print(help());
    if (command.name === "version") return print(version(packagePaths()));
    return await bench(command.request);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(`bench: ${error.message}`);
    return exitUsage;
  }
}

async function bench(request: Request): Promise<number> {
  const paths = packagePaths();
  const plan = makePlan(request);
  if (!existsSync(paths.loadGenerator)) {
    say("bench: the native programs are not built; npm run build");
    return 1;
  }
  const reportsFolder = writableFolder(request.out ?? join(paths.root, "reports"));
  const children = new ChildProcesses();
  process.on("exit", () => children.killAll());
  const cpus = chooseCpus();
  const machine = readMachineLimits();
  for (const line of [...describePlan(plan), describeCpus(cpus), ...warnings(machine)]) say(line);
  const progress = new ProgressLine(process.stderr, plan, rewritable(process.stderr));
  const interruption = new Interruption((signal) => progress.note(`${signal}: stopping`));
  const results = await run(plan, {
    paths,
    children,
    cpus,
    signal: interruption.signal,
    environment: gatherEnvironment(paths.root),
    machine,
    onProgress: (event) => progress.show(event),
  });
  progress.end();
  const written = report(results, reportsFolder);
  return interruption.exitCode ?? (written ? exitCodeOf(results) : 1);
}

/** Writes first: the table may go to a terminal that is not there any more. */
function report(results: Results, reportsFolder: string): boolean {
  const { stdout } = process;
  const colour = stdout.isTTY === true && !process.env["NO_COLOR"];
  const table = renderTerminal(results, { colour, width: stdout.columns ?? pipeColumns });
  try {
    const { reportPath } = writeReport(results, { reportsFolder });
    print(`\n${table}\n\n${relative(process.cwd(), reportPath)}`);
    return true;
  } catch (error) {
    print(`\n${table}`);
    say(`bench: the report could not be written: ${messageOf(error)}`);
    return false;
  }
}

/** Found out before two minutes of measuring, not after. */
function writableFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch (error) {
    throw new UsageError(`--out: cannot write to "${folder}": ${messageOf(error)}`);
  }
}

function describeCpus({ server, client, note }: CpuPlan): string {
  const where = `server on CPU ${server}, load generator on CPU ${client}`;
  if (note === null) return where;
  return server === null ? note : `${where}; ${note}`;
}

/** A log keeps every line that is rewritten, and some terminals cannot. */
function rewritable(stream: NodeJS.WriteStream): boolean {
  const { CI, TERM } = process.env;
  return stream.isTTY === true && !CI && TERM !== "dumb";
}

function help(): string {
  const list = (rows: readonly { name: string; summary: string }[]) =>
    rows.map(({ name, summary }) => `  ${name.padEnd(28)}${summary}`);
  return [
    "npm run bench -- [options]",
    "",
    "Measures what each server strategy costs, and leaves a table and a report.",
    "",
    "options:",
    ...optionLines(),
    "",
    `profiles (${defaultProfile} unless told):`,
    ...list(profiles),
    "",
    `contenders (${reference} is the reference, and always runs):`,
    ...list(contenders),
  ].join("\n");
}

function version({ root }: Paths): string {
  const description: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return String((description as { version?: unknown }).version);
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
