// What one address in front of both queues of the replicated store costs, per read and per write,
// against an address for each: the replicas section of the report.

import type { Cell } from "../model/results.ts";
import { figure, type Group, unitOf } from "./groups.ts";
import { metricWords, sizeText } from "./metric-words.ts";

/** The same store twice: the two differ only in their addresses. */
const oneAddress = "store:one-address";
const twoAddresses = "store:bounded";

const kinds = { brokerCpuPerRead: "read", brokerCpuPerWrite: "write" } as const;

/** A sentence per scale at which both were measured; empty if there is none. */
export function addressSentences(groups: readonly Group[]): string {
  const sentences = groups.flatMap(({ measured }) => {
    const named = (name: string) => measured.find(({ contender }) => contender === name);
    const [one, two] = [named(oneAddress), named(twoAddresses)];
    return one === undefined || two === undefined ? [] : priceOf(one, two);
  });
  return sentences.join(" ");
}

function priceOf(one: Cell, two: Cell): string[] {
  const parts = Object.entries(kinds).flatMap(([metric, kind]) => {
    const [here, there] = [figure(one, metric), figure(two, metric)];
    if (here === undefined || there === undefined) return [];
    const { format } = metricWords(metric, unitOf(one, metric));
    return [`${format(here.median)} per ${kind} instead of ${format(there.median)}`];
  });
  if (parts.length === 0) return [];
  const size = sizeText(one.workload, one.connections);
  return [`With ${size} and one address for both, the broker's CPU is ${parts.join(", ")}.`];
}
