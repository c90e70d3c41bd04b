// What a run will do: a profile, the command line's overrides and the catalogues, joined and
// checked. A wrong name fails with a UsageError that lists the valid ones.

import { suggestion } from "../command-line.ts";
import { type Contender, contenders, reference } from "../contenders/catalogue.ts";
import { families } from "../contenders/families.ts";
import { peers, peersGroup } from "../contenders/peers.ts";
import { workloads } from "../model/workloads/catalogue.ts";
import { type Load, usualPayloadBytes, type Workload } from "../model/workloads/workload.ts";
import type { Budget } from "./budget.ts";
import { canBeHeld, type GeneratorLoad } from "./load-arguments.ts";
import { type RunRequest, UsageError } from "./options.ts";
import {
  type Blocks,
  defaultProfile,
  type Profile,
  type ProfileRow,
  pilotMs,
  profiles,
  type Timing,
  wholeProfile,
} from "./profiles.ts";
import { closedWarmup, heldTiming, settleMs, warmed, warmUpsAtOnce } from "./warm-up.ts";

/** One cell's load, for every contender alike. */
export interface Scenario {
  readonly workload: Workload;
  /** What distinguishes it from the workload's other loads at this scale; null for a sole load. */
  readonly variant: string | null;
  readonly load: Load;
  readonly ratePerSecond: number | null;
}

/** One workload at one scale: its variants, which run in the same blocks. */
export interface Part {
  readonly scenarios: readonly Scenario[];
  /** In the catalogue's order; the reference is one of them where the workload compares. */
  readonly contenders: readonly Contender[];
  readonly blocks: Blocks;
  readonly timing: Timing;
}

/** Of the scenario that a workload's others are compared with; -1 if there is none. */
export function baselineIndex({ scenarios }: Part, { baseline }: Workload): number {
  return scenarios.findIndex(({ variant }) => variant === baseline?.variant);
}

export interface Plan {
  readonly profile: string;
  readonly parts: readonly Part[];
  /** The contenders of all parts, in the catalogue's order. */
  readonly contenders: readonly Contender[];
  readonly reference: string;
  /** Those of all parts, or else of the profile. */
  readonly blocks: Blocks;
  readonly timing: Timing;
  /** None: the planned blocks whatever they take, and nothing is made up for. */
  readonly budget?: Budget;
  readonly seed: number;
  /** What the command line gave, to repeat the run with; without the folder, which is a path. */
  readonly options: Readonly<Record<string, unknown>>;
}

const windowMs = 250;

/**
 * @param catalogue the contenders that there are: the suite's own unless others are given.
 * @param base the name of the one that all are compared with.
 * @throws {UsageError} on an unknown profile, workload or contender.
 */
export function makePlan(
  request: RunRequest,
  catalogue: readonly Contender[] = contenders,
  base: string = reference,
): Plan {
  const known = [...catalogue, ...peers, ...Object.values(families).flat()];
  const profile = find("profile", profiles, request.profile ?? defaultProfile);
  const parts = distinct(
    rowsOf(profile, request).flatMap((row) =>
      partsOf(row, {
        workload: find("workload", workloads, row.workload),
        contenders: wantedOf(known, row.contenders ?? usualOf(row, profile), request),
        base: find("contender", known, base),
        profile,
        request,
      }),
    ),
  );
  const taking = new Set(parts.flatMap((part) => part.contenders));
  return {
    profile: profile.name,
    budget: budgetOf(profile, parts, request),
    parts,
    contenders: known.filter((row) => taking.has(row)),
    reference: base,
    blocks: common(parts, ({ blocks }) => blocks) ?? blocksOf(profile.blocks, request),
    timing: common(parts, ({ timing }) => timing) ?? timingOf(profile.timing, request),
    seed: request.seed ?? 1,
    options: givenOptions(request),
  };
}

/** @throws {UsageError} on what the workloads of the plan do not use, or cannot be done with. */
export function refuseUnused(
  { parts }: Plan,
  { rate, payload, duration, steady }: Pick<RunRequest, "rate" | "payload" | "duration" | "steady">,
): void {
  const scenarios = parts.flatMap((part) => part.scenarios);
  const names = [...new Set(scenarios.map(({ workload }) => workload.name))].join(", ");
  if (rate !== null && scenarios.every(({ ratePerSecond }) => ratePerSecond === null)) {
    throw new UsageError(`--rate: there is no rate in ${names}; omit it`);
  }
  const only = (...modes: readonly string[]) =>
    scenarios.every(({ load }) => modes.includes(load.mode));
  if (payload !== null && scenarios.every(({ load }) => load.payloadBytes !== payload)) {
    throw new UsageError(`--payload: ${names} has no message size to choose; omit it`);
  }
  if (duration !== null && only("memory", "readiness")) {
    throw new UsageError(`--duration: ${names} takes the time that it needs; omit it`);
  }
  if (steady !== null && only("memory", "readiness", "delivery")) {
    throw new UsageError(`--steady: no warm-up is watched in ${names}; omit it`);
  }
  if (scenarios.some(({ load }) => load.mode === "memory" && load.stages.length < 2)) {
    throw new UsageError("--connections: memory is a slope over several counts; use 2 or more");
  }
}

/** What all parts have; undefined if they differ. */
function common<T>([first, ...rest]: readonly Part[], of: (part: Part) => T): T | undefined {
  if (first === undefined) return undefined;
  const equal = (part: Part) => JSON.stringify(of(part)) === JSON.stringify(of(first));
  return rest.every(equal) ? of(first) : undefined;
}

function givenOptions({ out: _folder, ...rest }: RunRequest): Record<string, unknown> {
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
}

/** The profile's rows, or those of the workloads asked for: its own, or else the whole suite's. */
function rowsOf(profile: Profile, { workloads: wanted }: RunRequest): ProfileRow[] {
  if (wanted === null) return [...profile.rows];
  const whole = find("profile", profiles, wholeProfile);
  const everywhere = [profile, whole, ...profiles];
  return wanted.flatMap((name) => {
    find("workload", workloads, name);
    const rows = everywhere.map((each) => each.rows.filter(({ workload }) => workload === name));
    return rows.find((found) => found.length > 0) ?? [];
  });
}

/** Without rows that the command line has made equal to an earlier one, or to a part of it. */
function distinct(parts: readonly Part[]): Part[] {
  const seen = new Set<string>();
  return parts.filter(({ scenarios, contenders }) => {
    const loads = JSON.stringify(scenarios.map(({ workload, load }) => [workload.name, load]));
    const fresh = contenders.map(({ name }) => `${name} ${loads}`).filter((one) => !seen.has(one));
    for (const one of fresh) seen.add(one);
    return fresh.length > 0;
  });
}

interface PartChoice {
  readonly workload: Workload;
  /** Echo servers and the contenders of all other families. */
  readonly contenders: readonly Contender[];
  readonly base: Contender;
  readonly profile: Profile;
  readonly request: RunRequest;
}

function partsOf(row: ProfileRow, choice: PartChoice): Part[] {
  const { workload, contenders, base, profile, request } = choice;
  const { ratePerSecond: usual, payloadBytes = [usualPayloadBytes] } = row;
  const ratePerSecond = usual === undefined ? null : (request.rate ?? usual);
  const payloads = request.payload === null ? payloadBytes : [request.payload];
  return (request.connections ?? row.connections).flatMap((connections) =>
    payloads.map((payloadBytes) => ({
      scenarios: workload
        .loads({ connections, payloadBytes, ratePerSecond })
        .filter(({ variant }) => variant === null || (row.variants?.includes(variant) ?? true))
        .map((variation) => ({ workload, ...variation, ratePerSecond })),
      contenders: fitting(workload, contenders, base),
      blocks: blocksOf(row.blocks ?? profile.blocks, request),
      timing: timingOf(row.timing ?? profile.timing, request),
    })),
  );
}

/** A profile's contenders are echo servers: names of other families mean all of those. */
function usualOf({ workload }: ProfileRow, profile: Profile): readonly string[] | null {
  return families[workload] === undefined ? profile.contenders : null;
}

/** In the catalogue's order: those asked for, or else the profile's, or else all but the peers. */
function wantedOf(
  known: readonly Contender[],
  usual: readonly string[] | null,
  { contenders: asked }: RunRequest,
): Contender[] {
  const names = (asked ?? usual)?.flatMap((name) =>
    name === peersGroup ? peers.map((peer) => peer.name) : [find("contender", known, name).name],
  );
  if (names === undefined) return known.filter((row) => !peers.includes(row));
  return known.filter(({ name }) => names.includes(name));
}

/** A family's own contenders, all unless some were asked for; else servers and the reference. */
function fitting(
  { name, comparesToReference }: Workload,
  wanted: readonly Contender[],
  base: Contender,
): readonly Contender[] {
  const family = families[name];
  if (family !== undefined) {
    const own = family.filter((row) => wanted.includes(row));
    return own.length === 0 ? family : own;
  }
  const others = new Set(Object.values(families).flat());
  const servers = wanted.filter((row) => !others.has(row));
  if (servers.includes(base) || (!comparesToReference && servers.length > 0)) return servers;
  const before = contenders.indexOf(base);
  const at = servers.findIndex((row) => {
    const place = contenders.indexOf(row);
    return place < 0 || place > before;
  });
  return at < 0 ? [...servers, base] : servers.toSpliced(at, 0, base);
}

/** A run that is not the profile's as it stands may make up for disturbed blocks half as long. */
const ownRunFactor = 1.5;
/** Time to make up for disturbed blocks in the shortest of runs. */
const leastSeconds = 20;

function budgetOf(profile: Profile, parts: readonly Part[], request: RunRequest): Budget {
  if (request.budget !== null) return { seconds: request.budget, bindsPlanned: true };
  const { out: _, profile: __, seed: ___, ...changes } = request;
  const changed = Object.values(changes).some((value) => value !== null);
  if (!changed) return { seconds: profile.budgetSeconds, bindsPlanned: true };
  const seconds = Math.max(leastSeconds, ownRunFactor * estimateSeconds({ parts }));
  return { seconds: Math.ceil(seconds), bindsPlanned: false };
}

function blocksOf(blocks: Blocks, { blocks: asked }: RunRequest): Blocks {
  return asked === null ? blocks : { minimum: asked, maximum: asked };
}

/** That a load generator takes; of longer times the windows are longer. */
const mostWindows = 1000;

/** As many windows of about the usual length as add up to the time. */
function timingOf(usual: Timing, { duration: durationSeconds, steady }: RunRequest): Timing {
  const timing = steady === null ? usual : { ...usual, steadyWithinMs: Math.round(steady * 1000) };
  if (durationSeconds === null) return timing;
  const durationMs = durationSeconds * 1000;
  const windows = Math.min(mostWindows, Math.max(1, Math.round(durationMs / windowMs)));
  return { ...timing, windows, windowMs: Math.round(durationMs / windows) };
}

function find<T extends { readonly name: string }>(kind: string, rows: readonly T[], name: string) {
  const found = rows.find((row) => row.name === name);
  if (found !== undefined) return found;
  const names = [...new Set(rows.map((row) => row.name))];
  throw new UsageError(`unknown ${kind} "${name}"; ${suggestion(name, names, `${kind}s`)}`);
}

/** How long one round takes, roughly: the process's start and end, the connections, the load. */
export function estimateRoundSeconds({ load, workload }: Scenario, part: Part): number {
  const { timing } = part;
  const startAndStop = 0.25;
  if (load.mode === "readiness") return startAndStop + load.connections * 0.0001;
  const opened = load.mode === "churn" ? 0 : load.connections * 0.00004;
  if (load.mode === "delivery") return estimateDeliverySeconds(timing);
  if (load.mode === "memory") return startAndStop + opened + 0.3 * load.stages.length;
  const { windows, windowMs: ownMs } = canBeHeld(load) ? heldTiming(timing, load) : timing;
  const windowMs = canBeHeld(load) ? turnMs(ownMs, workload) : ownMs;
  const warmupMs = load.mode === "share" ? timing.warmupMs : meanWarmupMs(part, load);
  const measuring = startAndStop + opened + (warmupMs + windows * windowMs) / 1000;
  // The pilot connects and warms up as the load after it does.
  return load.mode === "share" ? measuring + opened + (warmupMs + pilotMs) / 1000 : measuring;
}

function meanWarmupMs({ contenders: own, timing }: Part, load: GeneratorLoad): number {
  const held = canBeHeld(load);
  const closed = held ? own.filter((one) => closedWarmup(one, load) !== null).length : 0;
  const sum = own.reduce((ms, one) => ms + warmed(one, timing, load).warmupMs, 0);
  const atOnce = held ? Math.min(own.length, warmUpsAtOnce(load)) : 1;
  return (sum / atOnce + closed * closedWarmupMs) / own.length;
}

/** What most servers need for the messages of a closed loop. */
const closedWarmupMs = 1_000;

/** What comes back after a window, and commands. */
const betweenWindowsMs = 5;

/**
 * A window and its part of the reference's beside it, which two contenders share: the load settles,
 * and what was due is back.
 */
function turnMs(windowMs: number, { comparesToReference }: Workload): number {
  const one = settleMs(windowMs) + windowMs + betweenWindowsMs;
  return comparesToReference ? 1.5 * one : one;
}

/** Some processes of Node start, and the measured time comes twice: for many, and for one. */
function estimateDeliverySeconds({ warmupMs, windows, windowMs }: Timing): number {
  const startAndStop = 1.2;
  return startAndStop + (2 * (warmupMs + windows * windowMs)) / 1000;
}

/** Assumes the fewest blocks until the pilot blocks have determined their number. */
export function estimateSeconds({ parts }: Pick<Plan, "parts">): number {
  return parts.reduce((sum, part) => sum + estimatePartSeconds(part), 0);
}

export function estimatePartSeconds(part: Part): number {
  const pass = part.scenarios.reduce((sum, each) => sum + estimateRoundSeconds(each, part), 0);
  return pass * part.contenders.length * part.blocks.minimum;
}
