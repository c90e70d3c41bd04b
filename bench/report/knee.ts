// Where latency bends as the load nears a server's capacity, for the chart and the words.

import type { Cell } from "../model/results.ts";
import { count } from "./format.ts";
import { figure } from "./groups.ts";
import { joined, type Sentence, say } from "./sentence.ts";

/** p99 at the knee is more than so many times that at the lightest load. */
const bendFactor = 2;

interface Knee {
  readonly contender: string;
  /** Null if p99 stays below the bound at every load that was measured. */
  readonly cell: Cell | null;
  /** The heaviest load that was measured, in per cent of the capacity. */
  readonly most: number;
}

/**
 * Of each contender that was measured at two parts of its own capacity or more, with the most
 * connections: those of another scale have another latency.
 */
export function kneesOf(cells: readonly Cell[]): Knee[] {
  const shares = cells.filter(({ capacityPercent }) => capacityPercent !== undefined);
  const most = Math.max(...shares.map(({ connections }) => connections));
  // A load that the generator could not send in one block has figures of the others only.
  const loaded = shares.filter(
    (cell) =>
      cell.connections === most &&
      cell.status !== "unavailable" &&
      figure(cell, "latencyP99") !== undefined,
  );
  return [...new Set(loaded.map(({ contender }) => contender))].flatMap((contender) => {
    const own = loaded.filter((cell) => cell.contender === contender).sort(byLoad);
    const [lightest] = own;
    const heaviest = own.at(-1);
    if (lightest === undefined || heaviest === undefined || lightest === heaviest) return [];
    const bound = bendFactor * p99(lightest);
    const cell = own.find((one) => p99(one) > bound) ?? null;
    return [{ contender, cell, most: heaviest.capacityPercent ?? 0 }];
  });
}

/** One sentence over all contenders; none if there is nothing to compare. */
export function kneeSentences(cells: readonly Cell[]): Sentence[] {
  const parts = kneesOf(cells).map(({ contender, cell, most }) =>
    cell === null
      ? say`${{ name: contender }} not up to ${count(most)} %`
      : say`${{ name: contender }} from ${count(cell.capacityPercent ?? 0)} %`,
  );
  if (parts.length === 0) return [];
  return [say`p99 exceeds twice that of the lightest load: ${joined(parts, "; ")}.`];
}

function byLoad(left: Cell, right: Cell): number {
  return (left.capacityPercent ?? 0) - (right.capacityPercent ?? 0);
}

function p99(cell: Cell): number {
  return figure(cell, "latencyP99")?.median ?? 0;
}
