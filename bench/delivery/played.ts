// What a delivery round produces: windows for the gate, figures, facts.

import type { Delivered, LoadResult, Window } from "../model/events.ts";
import type { ProgramFigures } from "../model/metrics.ts";
import type { DeliverySettings } from "../run/delivery-round.ts";
import { encodeHistogram } from "../statistics/hdr-encoding.ts";
import { Histogram } from "../statistics/histogram.ts";

export interface Played {
  readonly windows: readonly Window[];
  readonly figures: ProgramFigures;
  readonly facts: Delivered["facts"];
  readonly messages: number;
  /** Messages that were missing, or had other bytes than were sent. */
  readonly wrong: number;
  /** What makes its figures worthless; null if nothing does. */
  readonly error: string | null;
}

/** Why this machine cannot play it. */
export interface Unplayable {
  readonly unavailable: string;
}

/** Plays one round with one contender. Rejects where its processes do not do their part. */
export type Play = (contender: string, settings: DeliverySettings) => Promise<Played | Unplayable>;

/** Null if one of both is not known. */
export function difference(before: number | null | undefined, after: number | null | undefined) {
  return typeof before === "number" && typeof after === "number" ? after - before : null;
}

/** A window of which everything else is unknown. */
export function windowOf(
  known: Partial<Window> & Pick<Window, "durationNs">,
  latenciesNs: readonly number[] = [],
): Window {
  const histogram = new Histogram();
  for (const ns of latenciesNs) histogram.record(Math.max(1, Math.round(ns)));
  const latency = encodeHistogram(histogram);
  return { ...unknown, latency, latencyUncorrected: latency, ...known };
}

const unknown: Omit<Window, "durationNs" | "latency" | "latencyUncorrected"> = {
  event: "window",
  index: 0,
  intendedMessages: 0,
  sentMessages: 0,
  completedMessages: 0,
  serverCpuNs: null,
  serverUserCpuNs: null,
  serverSystemCpuNs: null,
  serverContextSwitches: null,
  serverRunQueueWaitNs: null,
  clientCpuNs: 0,
  clientRunQueueWaitNs: null,
  sendLagNsP99: null,
  stealNs: null,
};

/** The lines, each an event. */
export function linesOf(played: Played | Unplayable): object[] {
  if ("unavailable" in played) return [{ event: "unavailable", reason: played.unavailable }];
  const { windows, figures, facts, messages, wrong, error } = played;
  const delivered: Delivered = { event: "delivered", figures, facts };
  const result: LoadResult = {
    event: "result",
    messages,
    totalMessages: messages,
    mismatches: wrong,
    missing: 0,
    mismatchDetail: null,
    connectionsLost: 0,
    error,
  };
  return [...windows, delivered, result];
}
