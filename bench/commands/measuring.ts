// What every command that measures does once its plan stands: says what is coming, runs it, writes
// the report, prints the table. Standard input is never read.

import { existsSync } from "node:fs";
import { type Machines, openMachines } from "../agents/machines.ts";
import { type Given, UsageError } from "../command-line.ts";
import type { CpuPlan } from "../host/cpus.ts";
import type { Host } from "../host/host.ts";
import { anySignal, Interruption } from "../host/interrupt.ts";
import { warnings } from "../host/limits.ts";
import { isSystemError, widthOf } from "../host/output.ts";
import { Live } from "../live/live.ts";
import { ProgressLine } from "../live/progress.ts";
import type { Results } from "../model/results.ts";
import { asTyped, type Paths } from "../paths.ts";
import { renderHtml } from "../report/html/page.ts";
import { serializeResults } from "../report/json.ts";
import { nextLines, nextOf } from "../report/next.ts";
import type { TerminalOptions } from "../report/rendering.ts";
import { reportOf } from "../report/report.ts";
import { renderTerminal } from "../report/terminal.ts";
import { writeReport } from "../report/write.ts";
import { exitCodeOf } from "../run/exit-code.ts";
import type { Plan } from "../run/plan.ts";
import { describePlan } from "../run/plan-words.ts";
import { workersOf } from "../run/preflight.ts";
import { run } from "../run/run.ts";
import { messageOf, openIfAsked, print, say, sayWrapped } from "./command.ts";
import { shortPath, writableFolder } from "./files.ts";
import { missingOf } from "./listing.ts";
import { livePortOf } from "./live-options.ts";
import { passesAsked, refusePass } from "./passes.ts";

export interface Measuring {
  readonly given: Given;
  /** What else has to hold; false makes the exit code 1. Reports its reasons itself. */
  readonly judge?: (results: Results) => boolean;
}

/**
 * On a busy machine starting takes longer, and so does writing the report: by their sum the run is
 * shorter, up to this share of its budget. Milliseconds since this process began are a third of it.
 */
const startsPerCommand = 3;
const reservedShare = 0.1;

/** Wide enough for every column if there is no terminal to fit. */
const pipeColumns = 160;

export async function measure(plan: Plan, measuring: Measuring): Promise<number> {
  const machines = await openMachines(measuring.given);
  try {
    // A report is published: it repeats the run by a file of hosts, and names none.
    const hosts = machines.fleet === null ? {} : { hosts: "FILE" };
    const asked = passesAsked(measuring.given).map(({ option }) => [option.name, true]);
    // A browser on this machine shares the CPUs, so the results record that the run was live.
    const live = livePortOf(measuring.given) === null ? {} : { live: true };
    const options = { ...plan.options, ...hosts, ...live, ...Object.fromEntries(asked) };
    return await measureOn(machines, { ...plan, options }, measuring);
  } finally {
    await machines.close();
  }
}

async function measureOn(machines: Machines, plan: Plan, measuring: Measuring): Promise<number> {
  const { given } = measuring;
  const livePort = livePortOf(given);
  const json = given.values["json"] === true;
  const { host, lost } = machines;
  const { paths } = host;
  if (!existsSync(paths.loadGenerator)) {
    throw new UsageError("the native programs are not built; run: npm run build");
  }
  refuseMissing(plan, paths);
  const passes = passesAsked(given);
  for (const pass of passes) await refusePass(pass, plan, machines);
  prepare(plan, paths);
  const reportsFolder = writableFolder(
    (given.values["out"] as string | null) ?? paths.reports,
    "--out",
  );
  process.on("exit", () => host.killAll());
  const [cpus, machine] = [await host.cpus(), await host.limits()];
  const where = [...machines.coming, describeCpus(cpus)];
  const coming = [...describePlan(plan), ...where, ...warnings(machine)];
  for (const line of [greeting, ...coming, destination(reportsFolder)]) sayWrapped(line);
  const live = livePort === null ? null : await openLive(plan, host, livePort);
  if (live !== null) say(`live: ${live.url}`);
  const progress = new ProgressLine(process.stderr, plan, rewritable(process.stderr));
  const interruption = new Interruption((signal) => progress.note(`${signal}: stopping`));
  lost.addEventListener("abort", () => progress.note("a machine is lost: stopping"));
  try {
    const signal = anySignal(interruption.signal, lost);
    const ran = await run(plan, {
      host,
      cpus,
      signal,
      environment: { ...(await host.environment()), ...peerVersions(plan) },
      machine,
      reservedSeconds: reservedSecondsOf(plan),
      onServer: (contender, pid) => live?.watch(contender, pid),
      onProgress: (event) => {
        progress.show(event);
        live?.show(event);
      },
    });
    let measured = ran;
    let lacking = false;
    for (const { add, doing, option } of passes) {
      try {
        measured = await add(measured, plan, {
          ...{ host, cpus, signal },
          workersOf: (contender, { load }) => workersOf(contender, load.connections, machine),
          onContender: (name) => progress.note(`${doing} ${name}`),
        });
      } catch (error) {
        if (!isSystemError(error)) throw error;
        // The rounds are measured: a pass that fails leaves their report as it is.
        progress.note(`--${option.name}: ${messageOf(error)}; the report is without it`);
        lacking = true;
      }
    }
    progress.end();
    const results = await machines.finish(measured);
    for (const line of machines.outcome()) say(line);
    const page = report(results, { reportsFolder, json });
    await live?.finish(renderHtml(reportOf(results)));
    if (page !== null) await openIfAsked(given, page);
    const holds = measuring.judge?.(results) ?? true;
    const failed = page === null || lost.aborted || lacking || !holds;
    return interruption.exitCode ?? (failed ? 1 : exitCodeOf(results));
  } finally {
    await live?.close();
  }
}

/** Only of a budget that bounds the whole run. */
function reservedSecondsOf({ budget }: Plan): number {
  if (budget?.bindsPlanned !== true) return 0;
  return Math.min((startsPerCommand * performance.now()) / 1000, reservedShare * budget.seconds);
}

/**
 * Ends the run before it starts if a contender that the user named is not installed. A contender
 * that only the profile names is "unavailable" in the report.
 * @throws {UsageError}
 */
function refuseMissing({ parts, options }: Plan, paths: Paths): void {
  const named = [options["workloads"], options["contenders"]].flat();
  for (const { scenarios, contenders } of parts) {
    const [workload = ""] = scenarios.map((scenario) => scenario.workload.name);
    const missing = missingOf(contenders, paths);
    const [first] = missing;
    const whole = missing.length === contenders.length && named.includes(workload);
    const one = missing.find(({ name }) => named.includes(name));
    const found = one ?? (whole ? { name: workload, reason: first?.reason } : undefined);
    if (found === undefined) continue;
    throw new UsageError(`${found.name} cannot run here: ${found.reason}`);
  }
}

/** Compiles before anything is measured; what fails to compile is "unavailable" in the report. */
function prepare({ contenders }: Plan, paths: Paths): void {
  for (const { name, missing, unprepared, prepare } of contenders) {
    if ((missing?.(paths) ?? null) !== null || unprepared?.(paths) !== true) continue;
    say(`compiling ${name} (once)`);
    prepare?.(paths);
  }
}

/** What the servers in other languages run on, for the environment block; nothing without any. */
function peerVersions({ contenders }: Plan): { readonly peers?: Readonly<Record<string, string>> } {
  const rows = contenders.flatMap(({ name, version }) => {
    const found = version?.() ?? null;
    return found === null ? [] : [[name, found] as const];
  });
  return rows.length === 0 ? {} : { peers: Object.fromEntries(rows) };
}

/** @throws {UsageError} if the port is in use. */
async function openLive(plan: Plan, host: Host, port: number): Promise<Live> {
  try {
    return await Live.open(plan, { host, port });
  } catch (error) {
    throw new UsageError(`--live-port: cannot listen on 127.0.0.1:${port}: ${messageOf(error)}`);
  }
}

const greeting = "What each server strategy costs here: CPU per message, latency, memory.";

function destination(reportsFolder: string): string {
  const where = shortPath(reportsFolder) || ".";
  return `The report will be in ${where}/; Ctrl-C keeps what was measured.`;
}

/** Writes first: the table may go to a terminal that is not there any more. @returns the page. */
function report(
  results: Results,
  to: { readonly reportsFolder: string; readonly json: boolean },
): string | null {
  const shown = to.json ? serializeResults(results).trimEnd() : `\n${tableOf(results)}`;
  const where = write(results, to.reportsFolder);
  if (to.json) print(shown);
  else print(asTyped(where === null ? shown : `${shown}\n\n${afterwards(results, where)}`));
  if (to.json && where !== null) say(where);
  return where;
}

/** Where the report is, and what to run next. */
function afterwards(results: Results, page: string): string {
  const { command, purpose } = nextOf(reportOf(results));
  const { width } = terminalOf(process.stdout);
  return [`Report: ${page}`, ...nextLines({ command: asTyped(command), purpose }, width)].join(
    "\n",
  );
}

/** @returns the page's path; null, reported on standard error, if it could not be written. */
function write(results: Results, reportsFolder: string): string | null {
  try {
    return shortPath(writeReport(results, { reportsFolder }).pagePath);
  } catch (error) {
    say(`bench: the report could not be written: ${messageOf(error)}`);
    return null;
  }
}

/** The table as this terminal can show it. */
export function tableOf(results: Results): string {
  return renderTerminal(reportOf(results), terminalOf(process.stdout));
}

/** Colour only if it shows and is wanted (no-color.org); as wide as the terminal is. */
export function terminalOf(stream: NodeJS.WriteStream): TerminalOptions {
  const colour = stream.isTTY === true && !process.env["NO_COLOR"];
  return { colour, width: widthOf(stream, pipeColumns) };
}

function describeCpus({ server, client, note }: CpuPlan): string {
  const generator = client === null ? "" : `, load generator on CPU ${client}`;
  const where = `server on CPU ${server}${generator}`;
  if (note === null) return where;
  return server === null ? note : `${where}; ${note}`;
}

/** A log keeps every line that is rewritten, and some terminals cannot. */
function rewritable(stream: NodeJS.WriteStream): boolean {
  const { CI, TERM } = process.env;
  return stream.isTTY === true && !CI && TERM !== "dumb";
}
