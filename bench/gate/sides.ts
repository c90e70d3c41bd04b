// The compared sides: the same contender, started from the trees of base and head. Pure.

import { pathToFileURL } from "node:url";
import { type Contender, contenders } from "../contenders/catalogue.ts";
import { type Paths, packagePaths } from "../paths.ts";

/** Two controls: `again`, the base once more; `planted`, the base with an additional cost. */
export type Side = "base" | "again" | "head" | "planted";

/** Of every row; `planted` is measured only if the row has a share to plant. */
export const sides: readonly Side[] = ["base", "again", "head"];

/** The programs of both trees. */
export interface Trees {
  readonly base: Paths;
  readonly head: Paths;
  /** A server that is in no catalogue: one of the repository under test. */
  readonly server?: (side: Side) => Contender;
}

/** The programs of a tree that has been built at this folder. */
export function pathsOf(root: string): Paths {
  return packagePaths(pathToFileURL(`${root}/package.json`).href);
}

/** A contender's row as one side runs it; its name tells the side. */
export function contenderOf(name: string, side: Side, trees: Trees): Contender {
  const own = trees.server?.(side);
  if (own !== undefined) return { ...own, name: sideName(name, side) };
  const row = contenders.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`unknown contender "${name}"`);
  const paths = side === "head" ? trees.head : trees.base;
  return {
    ...row,
    name: sideName(name, side),
    command: (_own, workers) => row.command(paths, workers),
  };
}

export function sideName(contender: string, side: Side): string {
  return `${contender} (${side})`;
}
