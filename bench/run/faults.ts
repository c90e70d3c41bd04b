// What the load generator found wrong with a server, in words. Pure.

import type { LoadResult } from "../model/events.ts";
import type { Loaded } from "./load.ts";
import type { GeneratorLoad } from "./load-arguments.ts";
import { isFull } from "./window-gate.ts";

/** Null if nothing is wrong. */
export function faultOf(
  { result, windows, memory }: Pick<Loaded, "result" | "windows" | "memory">,
  load: GeneratorLoad,
): string | null {
  if (result === null) return "no result";
  const { mismatches, mismatchDetail, missing, connectionsLost, error } = result;
  const { tls, late } = result.faults ?? {};
  if (tls !== undefined) return `${count(tls.count, "connection")} failed: ${tls.first ?? "TLS"}`;
  const wrong = wrongAnswers(result);
  if (wrong !== null) return wrong;
  if (mismatches > 0) {
    return `echoed wrong bytes: ${mismatchDetail ?? "no detail"} (${count(mismatches, "message")})`;
  }
  const faults: string[] = [];
  if (connectionsLost > 0) faults.push(`${count(connectionsLost, "connection")} lost`);
  // What a saturated server has not sent when time is up is late, not wrong.
  const owed = connectionsLost === 0 && windows.some(isFull);
  if (missing > 0 && !owed) faults.push(`${count(missing, "message")} never came back`);
  // The rest came back after the limit of --answer-within-ms.
  const overdue = (late?.count ?? 0) - missing;
  if (overdue > 0) faults.push(`${count(overdue, "answer")} too late${firstOf(late)}`);
  const refused = windows.reduce((sum, { errors = 0 }) => sum + errors, 0);
  if (refused > 0) faults.push(`${count(refused, "connection")} refused or reset`);
  if (load.mode === "memory" && memory.length < load.stages.length) {
    faults.push(`stopped after ${memory.length} of ${load.stages.length} stages`);
  }
  if (error !== null) faults.push(error);
  return faults.length === 0 ? null : faults.join("; ");
}

const kinds: Readonly<Record<string, string>> = {
  wrong: "wrong",
  short: "short",
  status: "with another status",
  closed: "missing because the connection was closed",
  doubled: "that nothing asked for",
};

/** Whether a server answered, and not what it should. */
export function answersWrong(result: LoadResult | null): boolean {
  if (result === null) return false;
  const { protocol = "echo", mismatches, faults = {} } = result;
  if (protocol === "echo") return mismatches > 0;
  return Object.keys(kinds).some((kind) => kind !== "closed" && faults[kind] !== undefined);
}

/** Answers of a protocol other than echo, by kind; late answers are not wrong. */
function wrongAnswers({ protocol = "echo", faults = {}, error }: LoadResult): string | null {
  if (protocol === "echo") return null;
  const found = Object.entries(kinds).flatMap(([kind, words]) => {
    const fault = faults[kind];
    if (fault === undefined) return [];
    return [`${count(fault.count, "answer")} ${words}${firstOf(fault)}`];
  });
  if (found.length === 0) return null;
  return [...found, ...(error === null ? [] : [error])].join("; ");
}

function firstOf(fault: { readonly first: string | null } | undefined): string {
  return fault?.first == null ? "" : `; the first: ${fault.first}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
