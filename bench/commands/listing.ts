// What there is to run, as lines of help: profiles, workloads, contenders and what is missing here.

import type { Contender } from "../contenders/catalogue.ts";
import { families } from "../contenders/families.ts";
import { peers } from "../contenders/peers.ts";
import { workloads } from "../model/workloads/catalogue.ts";
import type { Workload } from "../model/workloads/workload.ts";
import { type Paths, packagePaths } from "../paths.ts";
import { wrap } from "../report/text-table.ts";

/** Of help, and of a list on a terminal that is as wide. */
export const listColumns = 80;

/** Names and what they mean; a long meaning goes on below itself. */
export function listLines(
  rows: readonly { name: string; summary: string }[],
  columns = listColumns,
): string[] {
  const width = Math.max(...rows.map(({ name }) => name.length)) + 4;
  return rows.flatMap(({ name, summary }) => {
    const [first = "", ...rest] = wrap(summary, columns - width);
    return [`  ${name}`.padEnd(width) + first, ...rest.map((line) => " ".repeat(width) + line)];
  });
}

/** The names alone, in as few lines as they need. */
export function nameLines(rows: readonly { readonly name: string }[]): string[] {
  const names = rows.map(({ name }) => name).join(" ");
  return wrap(names, listColumns - 2).map((line) => `  ${line}`);
}

/** Workloads of which at least one contender is installed. */
export function workloadLines(columns = listColumns): string[] {
  const rows = installed().map(({ name, answers }) => ({ name, summary: answers }));
  return listLines(rows, columns);
}

/** Those of the workloads that have no echo servers, a paragraph each, and what is missing. */
export function familyLines(columns = listColumns): string[] {
  return [
    ...Object.keys(families).flatMap((workload) => {
      const rows = familyOf(workload) ?? [];
      if (rows.length === 0) return [];
      return ["", `contenders of ${workload}:`, ...listLines(rows, columns)];
    }),
    ...missingLines(columns),
  ];
}

function missingLines(columns: number): string[] {
  const rows = [...missingRows(), ...missingOf(peers, packagePaths())];
  if (rows.length === 0) return [];
  return [
    "",
    "not available here:",
    ...listLines(
      rows.map(({ name, reason }) => ({ name, summary: reason })),
      columns,
    ),
  ];
}

export function installed(): readonly Workload[] {
  return workloads.filter(({ name }) => familyOf(name)?.length !== 0);
}

/** What of it is installed; undefined for a workload that has echo servers. */
export function familyOf(workload: string): readonly Contender[] | undefined {
  const paths = packagePaths();
  return families[workload]?.filter(({ missing }) => (missing?.(paths) ?? null) === null);
}

export function missingRows() {
  const paths = packagePaths();
  return Object.entries(families).flatMap(([workload, rows]) =>
    missingOf(rows, paths).map((row) => ({ workload, ...row })),
  );
}

/** The contenders that are not installed, and why. */
export function missingOf(rows: readonly Contender[], paths: Paths) {
  return rows.flatMap(({ name, missing }) => {
    const reason = missing?.(paths) ?? null;
    return reason === null ? [] : [{ name, reason }];
  });
}
