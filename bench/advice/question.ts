// The types of the question that `advise` is asked, and of its answer. Pure data.

import type { Results, Status } from "../model/results.ts";
import type { Runtime } from "../model/runtimes.ts";
import type { Figure } from "../report/groups.ts";

export interface Question {
  readonly connections: number;
  /** The connections that carry messages, in percent of all. */
  readonly activePercent: number;
  readonly payloadBytes: number;
  /** Messages per second over all connections; null takes the rate that was measured best. */
  readonly ratePerSecond: number | null;
}

export type Axis = "connections" | "activePercent" | "payloadBytes" | "ratePerSecond";

/** A place on every axis. */
export type ScalePoint = Readonly<Record<Axis, number>>;

/** One workload at one scale of one run, of which at least one contender was measured. */
export interface MeasuredPoint extends ScalePoint {
  readonly activeConnections: number;
  readonly cells: readonly Results["cells"][number][];
  readonly run: Results;
}

/** A point and its share of the answer; the shares add up to 1. */
export interface Corner {
  readonly point: MeasuredPoint;
  readonly weight: number;
}

/** What is compared, in the order in which it decides. */
export type Criterion = "cpu" | "latency" | "memory";

/** A contender at the scale that was asked for; what was not measured there is null. */
export interface Candidate {
  readonly contender: string;
  readonly runtime: Runtime;
  /** Microseconds of server CPU per message. */
  readonly cpu: Figure;
  /** The CPU per message divided by the reference's in the same blocks. */
  readonly ratio: Figure | null;
  /** Microseconds. */
  readonly latencyP50: Figure | null;
  readonly latencyP99: Figure | null;
  /** Bytes of user memory per connection. */
  readonly memory: Figure | null;
  /** Percent of one core, at the measured rate. */
  readonly cpuPercent: Figure | null;
  /** Whether it used up its core in one of the corners. */
  readonly saturated: boolean;
  /** The fewest that any corner has. */
  readonly blocks: number;
}

export interface Answer {
  readonly kind: "answer";
  readonly question: Question;
  /** Whether it stands on cells that are not ranked, or on another scale than was asked for. */
  readonly lowConfidence: boolean;
  /** The rate that the answer holds for. */
  readonly ratePerSecond: number;
  /** One: measured exactly there. Several: interpolated between them. */
  readonly corners: readonly Corner[];
  readonly reference: string;
  readonly recommended: Candidate;
  readonly runnerUp: Candidate | null;
  /** What distinguished the recommended one from the last of its rivals; null if nothing did. */
  readonly decidedBy: Criterion | null;
  /** Those that nothing distinguished from the recommended one. */
  readonly tied: readonly Candidate[];
  /** The best that needs no server of one's own in C++; null if that is the recommended one. */
  readonly inNode: Candidate | null;
  /** All, the cheapest first. */
  readonly candidates: readonly Candidate[];
  /** Contenders that were measured and cannot be ranked. */
  readonly excluded: readonly ExcludedContender[];
}

export interface ExcludedContender {
  readonly contender: string;
  readonly cause: /** Not measured at every scale that the answer lies between. */
    | { readonly code: "partly-measured" }
    | { readonly code: "not-ranked"; readonly status: Status; readonly reason: string | null };
}

/** One axis of the question that lies beyond all that was measured. */
export interface OutsideAxis {
  readonly axis: Axis;
  readonly wanted: number;
  /** The end of what was measured that is nearest to it. */
  readonly end: "least" | "most";
  readonly bound: number;
}

export type RefusalCause =
  | { readonly code: "nothing-measured" }
  | { readonly code: "outside"; readonly axes: readonly OutsideAxis[] }
  /** No two measured scales surround it; those nearest to it. */
  | { readonly code: "not-between"; readonly nearest: readonly ScalePoint[] };

/** A workload of a run that measured as many connections, and no CPU per message there. */
export interface Elsewhere extends Pick<Results, "profile" | "startedAt"> {
  readonly workload: string;
}

/** Nothing was measured that the answer could stand on. */
export interface AdviceRefusal {
  readonly kind: "refusal";
  readonly question: Question;
  readonly cause: RefusalCause;
  readonly elsewhere: readonly Elsewhere[];
  /** Options of `run` that would measure it; null if the suite has no such workload. */
  readonly measuredBy: readonly string[] | null;
  /** What holds at the nearest scale that was measured, with low confidence; null without one. */
  readonly nearest: Answer | null;
}

export type Advice = Answer | AdviceRefusal;
