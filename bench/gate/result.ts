// What one run of the gate leaves in regression.json (schemaVersion 1), as types. Pure data.

import type { Environment } from "../model/results.ts";
import type { Runtime } from "../model/runtimes.ts";
import type { Control, GateNote } from "./controls.ts";
import type { Judgement, Outcome } from "./outcome.ts";
import type { BasePair, Comparison } from "./rule.ts";

/** One metric of one contender, base against head. */
export interface GateCell extends Judgement {
  /** The cause in words, for readers of the file; null without one. */
  readonly reason: string | null;
  readonly workload: string;
  readonly contender: string;
  readonly runtime: Runtime;
  readonly strategy: string;
  /** By its name in metrics.ts. */
  readonly metric: string;
  /** The part of one CPU that each server had: 0.4 is 40 %. Missing: all of it. */
  readonly cpuShare?: number;
  readonly gates: boolean;
  readonly margin: number;
  /** Medians; null if nothing counts. */
  readonly base: number | null;
  readonly head: number | null;
  /** The base against itself in the same blocks: what no change at all looks like here. */
  readonly again?: Comparison | null;
  /** Raw figures, a pair per block. */
  readonly blocks: readonly BasePair[];
}

/** Which state of the code a side was. */
export interface Revision {
  /** As it was asked for, such as "origin/main". */
  readonly name: string;
  /** Twelve hexadecimal digits. */
  readonly commit: string;
}

export interface GateResult {
  readonly schemaVersion: 1;
  readonly kind: "regression";
  readonly profile: string;
  /** Of a server outside the suite: requests, connections, rate, folder, its command's digest. */
  readonly load?: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly seed: number;
  readonly base: Revision;
  readonly head: Revision;
  readonly environment: Environment;
  readonly outcome: Outcome;
  readonly cells: readonly GateCell[];
  readonly controls: readonly Control[];
  readonly notes: readonly GateNote[];
}
