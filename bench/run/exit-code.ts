// How a run's results become the exit code of the command that measured. Pure.

import type { Cell, Results } from "../model/results.ts";
import { workloadRow } from "../model/workloads/catalogue.ts";

/** The exit code of every command of the suite where noise leaves nothing decided. */
export const exitUndecided = 3;

const refusals: readonly Cell["status"][] = ["skipped", "unsupported", "unavailable"];

/** 1: a contender failed or none could run; 3: none could be ranked; else 0. */
export function exitCodeOf({ cells, reference, settings }: Results): number {
  const refused = ({ status }: Cell) => refusals.includes(status);
  if (cells.some(({ status }) => status === "failed") || cells.every(refused)) return 1;
  if (settings["blocks"] === 1) return 0;
  const asked = cells.filter((cell) => !refused(cell) && isAsked(cell, reference));
  const undecided = asked.length > 0 && asked.every(({ status }) => status === "inconclusive");
  return undecided ? exitUndecided : 0;
}

/** Whether the run is about this cell: the reference is there to be compared with. */
function isAsked({ workload, contender }: Cell, reference: string): boolean {
  return contender !== reference || workloadRow(workload)?.comparesToReference !== true;
}
