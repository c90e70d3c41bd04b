// Why a cell has no plain result: codes with fields, and one table of words for each. Programs
// group, filter and count the codes; only people read the words.

import { type MetricName, metrics } from "./metrics.ts";
import * as s from "./schema.ts";

/** What disturbs a window; bench/run/window-gate.ts decides. */
export const ruleWords = {
  "server-waited": "the server waited for its CPU",
  "client-waited": "the load generator waited for its CPU",
  stolen: "the hypervisor took CPU time",
  rate: "the rate was missed",
  late: "the load generator sent late",
  full: "the server's CPU was saturated below the rate",
  "clients-full": "limited by the load generator: an agent was saturated, or sent late",
} as const;

export type GateRule = keyof typeof ruleWords;
export const gateRules = Object.keys(ruleWords) as GateRule[];

/** Rules that name another program as the culprit. */
export const busyRules: readonly GateRule[] = ["server-waited", "client-waited", "stolen"];

const causes = {
  interrupted: s.record({ blocks: s.amount, planned: s.amount }),
  disturbed: s.record({
    blocks: s.amount,
    planned: s.amount,
    /** Windows that broke each rule, the most frequent first. */
    rules: s.list(s.record({ rule: s.oneOf(...gateRules), windows: s.amount })),
    reference: s.text,
    /** Blocks that were lost only because the reference was disturbed. */
    unpaired: s.amount,
  }),
  unsteady: s.record({ blocks: s.amount, planned: s.amount }),
  "not-available": s.record({ metric: s.oneOf(...(Object.keys(metrics) as MetricName[])) }),
  "load-generator-full": s.record({
    throughput: s.number,
    serverPercent: s.number,
    clientPercent: s.number,
    /** False if the load generator had CPU time left as well: others took the server's. */
    clientFull: s.optional(s.boolean),
  }),
  "no-reference": s.record({ reference: s.text }),
  unresolved: s.record({
    detectableEffect: s.number,
    /** How often it is ranked. Missing in earlier results, whose effect is of another test. */
    power: s.optional(s.number),
  }),
  "one-block": s.record({}),
  limit: s.record({ limit: s.text, allowed: s.number, needed: s.number, command: s.text }),
  platform: s.record({ platforms: s.list(s.text), platform: s.text }),
  /** Words of a program, of the operating system, or of the catalogue. */
  said: s.record({ text: s.text }),
};

/** Why a cell is neither `ok` nor `tie`. */
export const causeSchema = s.variants("code", causes);
export type Cause = s.Infer<typeof causeSchema>;
type CauseOf<C extends Cause["code"]> = Extract<Cause, { readonly code: C }>;

const causeWords: { readonly [C in Cause["code"]]: (cause: CauseOf<C>) => string } = {
  interrupted: ({ blocks, planned }) => `interrupted after ${blocks} of ${planned} blocks`,
  disturbed: disturbedText,
  unsteady: ({ blocks, planned }) =>
    `no steady state at the end of the warm-up in ${blocks} of ${planned} blocks`,
  "not-available": ({ metric }) => `${metric}: not available on this platform`,
  "load-generator-full": ({ throughput, serverPercent, clientPercent, clientFull = true }) =>
    `at least ${Math.round(throughput).toLocaleString("en-US")} messages/s, ` +
    `${clientFull ? "limited by the load generator" : "neither side was saturated"}: ` +
    `the server used ${Math.round(serverPercent)} % of its CPU, ` +
    `the load generator ${Math.round(clientPercent)} %`,
  "no-reference": ({ reference }) => `no ratio: ${reference} has no figures`,
  unresolved: ({ detectableEffect: effect, power }) =>
    power === undefined
      ? "not ranked: the difference is small compared with the noise"
      : `not ranked: a difference of ${percentText(effect)} % would be ranked in ` +
        `${Math.round(power * 10)} of 10 runs`,
  "one-block": () => "not resolved: one block is not enough to rank contenders",
  limit: ({ limit, allowed, needed, command }) =>
    `${limit} ${allowed} < ${needed} needed; to lift it: ${command}`,
  platform: ({ platforms, platform }) => `runs on ${platforms.join(", ")}; this is ${platform}`,
  said: ({ text }) => text,
};

export function causeText<C extends Cause["code"]>(cause: CauseOf<C>): string {
  return causeWords[cause.code as C](cause);
}

/** What two causes have in common that differ only in their numbers. */
export function kindOf(cause: Cause): string {
  if (cause.code === "said") return `said ${cause.text}`;
  if (cause.code === "limit") return `limit ${cause.limit}`;
  if (cause.code !== "disturbed") return cause.code;
  const rules = cause.rules.map(({ rule }) => rule).sort();
  return [cause.code, ...rules, cause.unpaired > 0 ? "reference" : ""].join(" ");
}

/** "4 of 6 blocks discarded: the load generator sent late (9 windows), stolen (2)". */
function disturbedText(cause: CauseOf<"disturbed">): string {
  const { blocks, planned, rules, reference, unpaired } = cause;
  const parts = rules.map(
    ({ rule, windows }, index) =>
      `${ruleWords[rule]} (${index === 0 ? plural(windows, "window") : windows})`,
  );
  if (unpaired > 0) parts.push(`${reference} was disturbed (${plural(unpaired, "block")})`);
  const discarded = `${blocks} of ${planned} blocks discarded`;
  return parts.length === 0 ? discarded : `${discarded}: ${parts.join(", ")}`;
}

/** A share in per cent, without the sign: 0.05 is "5.0". */
export function percentText(share: number): string {
  return (share * 100).toFixed(share < 0.1 ? 1 : 0);
}

function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
