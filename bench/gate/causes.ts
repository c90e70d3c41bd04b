// Why the gate has no plain verdict on a test: codes with fields, and one table of words for them.

import { percentText } from "../model/reasons.ts";

export type GateCause =
  | { readonly code: "not-measured" }
  | { readonly code: "few-pairs"; readonly pairs: number; readonly planned: number }
  /** Beyond the margin, with too few pairs to rule out chance. */
  | { readonly code: "chance"; readonly pairs: number }
  /** Both as shares: 0.05 is 5 %. */
  | { readonly code: "insensitive"; readonly detectable: number; readonly wanted: number }
  | { readonly code: "not-confirmed" }
  | { readonly code: "missing-in-head" }
  /** One side's cell was not ranked in its own run. */
  | { readonly code: "not-ranked"; readonly status: string; readonly reason: string | null }
  /** Nothing counts system calls here. */
  | { readonly code: "no-tracer" }
  /** Words of the server, or of the operating system. */
  | { readonly code: "said"; readonly text: string };

type GateCauseOf<C extends GateCause["code"]> = Extract<GateCause, { readonly code: C }>;

const causeWords: { readonly [C in GateCause["code"]]: (cause: GateCauseOf<C>) => string } = {
  "not-measured": () => "not measured",
  "few-pairs": ({ pairs, planned }) => `${pairs} of ${planned} pairs count`,
  chance: ({ pairs }) => `beyond the margin, but ${pairs} pairs cannot rule out chance`,
  insensitive: ({ detectable, wanted }) =>
    `detects ${percentText(detectable)} % or more, ${percentText(wanted)} % is wanted`,
  "not-confirmed": () => "fresh blocks do not agree",
  "missing-in-head": () => "missing in head",
  "not-ranked": ({ status, reason }) => {
    const why = reason ?? "no reason was saved";
    // The row's verdict is "inconclusive", too.
    return status === "inconclusive" ? why : `${status}: ${why}`;
  },
  "no-tracer": () =>
    "strace(1) is missing or may not trace, so no check could detect it; install strace",
  said: ({ text }) => text,
};

export function gateCauseText<C extends GateCause["code"]>(cause: GateCauseOf<C>): string {
  return causeWords[cause.code as C](cause);
}
