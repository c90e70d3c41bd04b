// How far a report is to be trusted, before its figures: what was dropped, what is inconclusive,
// what failed or could not run. Enters: Results. Leaves: a level and sentences to html/.

import { kindOf } from "../model/reasons.ts";
import type { Cell, Results, Status } from "../model/results.ts";
import { reasonOf } from "./cell-text.ts";
import { count, plainLine } from "./format.ts";
import { headlineGroup } from "./headline.ts";
import { cautions } from "./verdict.ts";

/** `sound`: nothing against it. `careful`: read the sentences. `broken`: something failed. */
export type Level = "sound" | "careful" | "broken";

export interface Validity {
  readonly level: Level;
  readonly title: string;
  /** One sentence each; those that several groups share stand once. */
  readonly sentences: readonly string[];
  /** Cells without a ranking, alike ones together. */
  readonly exclusions: readonly ExcludedContenders[];
}

export interface ExcludedContenders {
  readonly status: Status;
  readonly contenders: readonly string[];
  readonly reason: string;
  /** Of how many cells. */
  readonly cells: number;
}

export function validityOf(results: Results): Validity {
  const { cells } = results;
  const ranked = cells.filter(({ status }) => status === "ok" || status === "tie").length;
  const failed = cells.some(({ status, mismatches }) => status === "failed" || mismatches > 0);
  const noisy = cells.some(({ status }) => status === "inconclusive");
  const doubtful = noisy || !results.complete || cells.some(({ dropped }) => dropped > 0);
  const level = failed || ranked === 0 ? "broken" : doubtful ? "careful" : "sound";
  return {
    level,
    title: titleOf(level, { ranked, all: cells.length }),
    sentences: sentencesOf(results),
    exclusions: exclusionsOf(cells),
  };
}

function titleOf(level: Level, { ranked, all }: { ranked: number; all: number }): string {
  const share = `${count(ranked)} of ${count(all)} cells measured`;
  if (all === 0) return "Nothing was measured";
  if (level === "sound") return `${share}, no window dropped`;
  if (level === "careful") return `${share}; read with care`;
  return ranked === 0 ? "Nothing here can be ranked" : `${share}; something failed`;
}

function sentencesOf(results: Results): string[] {
  const dropped = results.cells.reduce((sum, cell) => sum + cell.dropped, 0);
  const disturbed = results.cells.filter((cell) => cell.dropped > 0).length;
  const windows =
    dropped === 0
      ? "No window was dropped: the machine was quiet enough throughout."
      : `${count(dropped)} windows of ${count(disturbed)} cells do not count, because the ` +
        "machine was busy with something else.";
  // Those about windows and noise are said above, with their numbers, and below, by name.
  const group = headlineGroup(results);
  const others = (group === undefined ? [] : cautions(group, results)).filter(
    (text) => !/^(Windows that did not count|Not ranked)/.test(text),
  );
  return [windows, ...others];
}

function exclusionsOf(cells: readonly Cell[]): ExcludedContenders[] {
  const found = new Map<string, Cell[]>();
  for (const cell of cells) {
    if (cell.status === "ok" || cell.status === "tie") continue;
    const key = `${cell.status} ${cell.cause === undefined ? cell.reason : kindOf(cell.cause)}`;
    found.set(key, [...(found.get(key) ?? []), cell]);
  }
  return [...found.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const contenders = [...new Set(same.map(({ contender }) => contender))];
    return [{ status: first.status, contenders, reason: reasonOfAll(same), cells: same.length }];
  });
}

function reasonOfAll(cells: readonly Cell[]): string {
  const [first] = cells;
  if (first === undefined) return "";
  if (cells.length === 1) return reasonOf(first).slice(first.status.length + 2);
  const words = plainLine(first.reason ?? "") || "no reason was given";
  return cells.every(({ reason }) => reason === first.reason) ? words : `${words}; and alike`;
}
