// The data of one contender in one block, with its histograms decoded once.

import type { Window } from "../model/events.ts";
import { decodeHistogram } from "../statistics/hdr-encoding.ts";
import { type Histogram, merge } from "../statistics/histogram.ts";
import type { Round } from "./round.ts";

type LatencyField = "latency" | "latencyUncorrected" | "senderDelay";

export class BlockData {
  readonly round: Round;
  /** Only those that count. */
  readonly windows: readonly Window[];
  readonly #merged = new Map<LatencyField, Histogram>();

  constructor(round: Round, windows: readonly Window[]) {
    this.round = round;
    this.windows = windows;
  }

  /** Over all windows that count; empty if nothing was timed. */
  latency(field: LatencyField): Histogram {
    const known = this.#merged.get(field);
    if (known !== undefined) return known;
    const encoded = this.windows.flatMap((window) => window[field] ?? []);
    const histogram = merge(encoded.map((text) => decodeHistogram(text)));
    this.#merged.set(field, histogram);
    return histogram;
  }
}
