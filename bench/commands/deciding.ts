// What the commands that decide between a base and a head have in common.

import { type Given, UsageError, words } from "../command-line.ts";
import { CannotCompare } from "../gate/gate.ts";
import { gateMetrics } from "../gate/metrics.ts";
import { NothingInCommon } from "../gate/saved.ts";
import { isSystemError, OutputError } from "../host/output.ts";
import { exitUsage, messageOf, say } from "./command.ts";

/** Metrics that gate only if they are asked to. */
export const advisory = gateMetrics.filter(({ gates }) => !gates).map(({ name }) => name);

/** Shared by all that decide between a base and a head. */
export const decidingExitLines: readonly string[] = [
  "exit codes:",
  "  0  no regression",
  "  1  regression, or a server that fails only at head",
  "  2  could not be compared: a missing commit, a build that fails, a wrong option",
  "  3  inconclusive: too much noise; the table has the detectable effect",
  "  4  the gate's own controls failed: the result is not trustworthy",
  "  129, 130, 143  ended by SIGHUP, SIGINT or SIGTERM",
];

/**
 * Reports why. It does not end as Node or other commands do: 1 means a regression here.
 * @returns the exit code. @throws {UsageError} as it is.
 */
export function notCompared(error: unknown): number {
  if (error instanceof UsageError) throw error;
  const kinds = [CannotCompare, NothingInCommon, OutputError];
  const told = isSystemError(error) || kinds.some((kind) => error instanceof kind);
  say(`bench: ${told ? messageOf(error) : `not compared: ${(error as Error).stack}`}`);
  return exitUsage;
}

/** Annotations are lines for GitHub. @throws {UsageError} */
export function refuseMixed({ values }: Given): void {
  if (values["json"] !== true || values["annotate"] !== true) return;
  throw new UsageError(
    "--json and --annotate exclude one another on standard output; --out keeps both",
  );
}

/** For --gate. */
export function asked(text: string, option: string): string[] {
  const names = words(text, option);
  const unknown = names.find((name) => !gateMetrics.some((metric) => metric.name === name));
  if (unknown === undefined) return names;
  throw new UsageError(`${option}: "${unknown}" is not one of ${advisory.join(", ")}`);
}
