// How a run's results become the exit code of the command that measured. Pure.

import type { Cell, Results } from "../model/results.ts";
import { workloadRow } from "../model/workloads/catalogue.ts";

/** The exit code of every command of the suite where noise leaves nothing decided. */
export const exitUndecided = 3;

const refusals: readonly Cell["status"][] = ["skipped", "unsupported", "unavailable"];

/** 1: a contender failed, or none that was asked for could run; 3: none could be ranked; else 0. */
export function exitCodeOf({ cells, reference, settings }: Results): number {
  if (cells.some(({ status }) => status === "failed")) return 1;
  const compared = cells.filter((cell) => isAsked(cell, reference));
  const ran = ({ status }: Cell) => !refusals.includes(status);
  if (!(compared.length > 0 ? compared : cells).some(ran)) return 1;
  if (settings["blocks"] === 1) return 0;
  const asked = compared.filter(ran);
  const undecided = asked.length > 0 && asked.every(({ status }) => status === "inconclusive");
  return undecided ? exitUndecided : 0;
}

/** Whether the run is about this cell: the reference is there to be compared with. */
function isAsked({ workload, contender }: Cell, reference: string): boolean {
  return contender !== reference || workloadRow(workload)?.comparesToReference !== true;
}
