// What a run will do: a profile, the command line's overrides and the catalogues, joined and
// checked. Enters: a Request. Leaves: a Plan for bench/run.ts, or a UsageError that names the valid
// names; and the plan in words.

import { type Contender, contenders, reference } from "./contenders/catalogue.ts";
import { type Request, UsageError } from "./options.ts";
import { defaultProfile, type Profile, profiles, type Timing } from "./profiles.ts";
import { workloads } from "./workloads/catalogue.ts";
import type { Load } from "./workloads/workload.ts";

/** One cell's load, for every contender alike. */
export interface Scenario {
  readonly workload: string;
  readonly load: Load;
  readonly ratePerSecond: number | null;
}

export interface Plan {
  readonly profile: string;
  readonly scenarios: readonly Scenario[];
  /** In the catalogue's order; the reference is always one of them. */
  readonly contenders: readonly Contender[];
  readonly reference: string;
  readonly blocks: number;
  readonly timing: Timing;
  readonly seed: number;
  /** What the command line gave, to repeat the run with; without the folder, which is a path. */
  readonly options: Readonly<Record<string, unknown>>;
}

const windowMs = 250;
/** Below six blocks no interval of a median over blocks can cover 95 %: 1 − 2^(1−n). */
const blocksForInterval = 6;

/** @throws {UsageError} on an unknown profile or contender. */
export function makePlan(request: Request): Plan {
  const profile = find("profile", profiles, request.profile ?? defaultProfile);
  const names = request.contenders ?? profile.contenders ?? contenders.map(({ name }) => name);
  const chosen = new Set(names.map((name) => find("contender", contenders, name).name));
  chosen.add(reference);
  return {
    profile: profile.name,
    scenarios: scenariosOf(profile, request),
    contenders: contenders.filter(({ name }) => chosen.has(name)),
    reference,
    blocks: request.blocks ?? profile.blocks,
    timing: timingOf(profile.timing, request.duration),
    seed: request.seed ?? 1,
    options: givenOptions(request),
  };
}

function givenOptions({ out: _folder, ...rest }: Request): Record<string, unknown> {
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
}

/**
 * What the user should know before it starts, a line each: what runs, how often, on which CPUs, and
 * for how long.
 */
export function describePlan(plan: Plan): string[] {
  const { windows, windowMs } = plan.timing;
  const lines = plan.scenarios.map((scenario) => `${plan.profile}: ${describeScenario(scenario)}`);
  lines.push(
    `${count(plan.contenders.length, "contender")}, ${count(plan.blocks, "block")}, ` +
      `${count(windows, "window")} of ${windowMs} ms a round; ` +
      describeSeconds(estimateSeconds(plan)),
  );
  if (plan.blocks < blocksForInterval) {
    lines.push(`fewer than ${blocksForInterval} blocks: the intervals cover less than 95 %`);
  }
  return lines;
}

/** How long one round takes, roughly: the process's start and end, the connections, the load. */
export function estimateRoundSeconds({ load }: Scenario, { warmupMs, windows, windowMs }: Timing) {
  const startAndStop = 0.4;
  const perConnection = 0.00005;
  return startAndStop + load.connections * perConnection + (warmupMs + windows * windowMs) / 1000;
}

function estimateSeconds({ scenarios, contenders, blocks, timing }: Plan): number {
  const pass = scenarios.reduce((sum, scenario) => sum + estimateRoundSeconds(scenario, timing), 0);
  return pass * contenders.length * blocks;
}

function scenariosOf(profile: Profile, request: Request): Scenario[] {
  return profile.rows.flatMap((row) => {
    const workload = find("workload", workloads, row.workload);
    const ratePerSecond = row.ratePerSecond === null ? null : (request.rate ?? row.ratePerSecond);
    const payloads = request.payload === null ? row.payloadBytes : [request.payload];
    return (request.connections ?? row.connections).flatMap((connections) =>
      payloads.map((payloadBytes) => ({
        workload: workload.name,
        load: workload.load({ connections, payloadBytes, ratePerSecond }),
        ratePerSecond,
      })),
    );
  });
}

/**
 * As many windows of the usual length as fit, each a little longer or shorter so that they add up.
 */
function timingOf(timing: Timing, durationSeconds: number | null): Timing {
  if (durationSeconds === null) return timing;
  const durationMs = durationSeconds * 1000;
  const windows = Math.max(1, Math.round(durationMs / windowMs));
  return { ...timing, windows, windowMs: Math.round(durationMs / windows) };
}

function find<T extends { readonly name: string }>(kind: string, rows: readonly T[], name: string) {
  const found = rows.find((row) => row.name === name);
  if (found !== undefined) return found;
  const valid = rows.map((row) => row.name).join(", ");
  throw new UsageError(`unknown ${kind} "${name}"; ${kind}s: ${valid}`);
}

function describeScenario({ workload, load, ratePerSecond }: Scenario): string {
  const rate = ratePerSecond === null ? "" : `, ${thousands(ratePerSecond)} messages/s`;
  const connections = count(load.connections, "connection");
  return `${workload}, ${connections}, ${thousands(load.payloadBytes)}-byte messages${rate}`;
}

function describeSeconds(seconds: number): string {
  return seconds < 90
    ? `about ${Math.ceil(seconds)} s`
    : `about ${(seconds / 60).toFixed(1)} minutes`;
}

function count(number: number, noun: string): string {
  return `${thousands(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** Always with commas, whatever the machine's locale: the report is compared between machines. */
function thousands(number: number): string {
  return number.toLocaleString("en-US");
}
