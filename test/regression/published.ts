// The measured rates of the gate, as docs/regression-anywhere.md quotes them: made from the files
// of tallies that were published, so that no figure can be edited by hand.

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SeenRun } from "./seen.ts";

/** What is asked of the gate, in the order of the table; each is a file of a tally. */
const wanted = [
  { file: "http-silent", of: "equal commits", runs: 30, right: 30, says: "no alarm" },
  { file: "http-cpu", of: "5 % more CPU", runs: 20, right: 19, says: "regression" },
  {
    ...{ file: "http-silent-neighbour", of: "equal commits, beside a neighbour that takes 30 %" },
    ...{ runs: 10, right: 10, says: "no alarm" },
  },
  {
    ...{ file: "http-cpu-neighbour", of: "5 % more CPU, beside a neighbour that takes 30 %" },
    ...{ runs: 10, right: 9, says: "regression" },
  },
] as const;

const longestSeconds = 600;
const published = fileURLToPath(new URL("./measured", import.meta.url));
export const page = fileURLToPath(new URL("../../docs/regression-anywhere.md", import.meta.url));
const begin = "<!-- measured rates: test/regression/publish.ts -->";
const end = "<!-- end of measured rates -->";

/** Makes the tallies of a folder the published ones. @throws {Error} if it has none. */
export function publishFrom(folder: string): void {
  mkdirSync(published, { recursive: true });
  const files = readdirSync(folder).filter((name) => wanted.some(({ file }) => isOf(file, name)));
  if (files.length === 0) {
    throw new Error(`"${folder}" has none of ${wanted.map(({ file }) => `${file}.jsonl`).join()}`);
  }
  for (const name of files) copyFileSync(join(folder, name), join(published, name));
}

/** The page's text with the figures of the published tallies. */
export function pageWithRates(text: string): string {
  const [before, after] = [text.indexOf(begin), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`${page} has no place for the measured rates`);
  return `${text.slice(0, before)}${begin}\n${ratesTable(readTallies())}\n${text.slice(after)}`;
}

export interface Tally {
  readonly file: string;
  readonly runs: readonly SeenRun[];
}

function readTallies(): Tally[] {
  if (!existsSync(published)) return [];
  return readdirSync(published)
    .filter((name) => name.endsWith(".jsonl"))
    .map((name) => {
      const [, ...lines] = readFileSync(join(published, name), "utf8").trimEnd().split("\n");
      return { file: name, runs: lines.map((line) => JSON.parse(line) as SeenRun) };
    });
}

/** A row per question, also if it was not asked, or not as often as is wanted. */
export function ratesTable(tallies: readonly Tally[]): string {
  const rows = wanted.map(({ file, of, runs: asked, right: enough, says }) => {
    const runs = tallies.find((tally) => isOf(file, tally.file))?.runs ?? [];
    const right = runs.filter((run) => run.right).length;
    const seconds = runs.map((run) => run.seconds);
    const longest = seconds.length === 0 ? null : Math.max(...seconds);
    const holds = runs.length >= asked && runs.length - right <= asked - enough;
    const slow = longest !== null && longest > longestSeconds;
    const time = longest === null ? "" : `${median(seconds)} s, up to ${longest} s`;
    return [
      of,
      `${says} in ${enough} of ${asked}`,
      runs.length === 0 ? "not measured" : `${right} of ${runs.length}`,
      outcomesOf(runs),
      time,
      metBy({ runs: runs.length, asked, holds: holds && !slow }),
    ];
  });
  const heads = ["head", "required", "correct", "outcomes", "time per verdict", "met"];
  return [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function metBy({ runs, asked, holds }: { runs: number; asked: number; holds: boolean }): string {
  if (runs === 0) return "";
  if (holds) return "yes";
  return runs < asked ? `no: ${runs} of ${asked} runs` : "no";
}

function outcomesOf(runs: readonly SeenRun[]): string {
  const outcomes = [...new Set(runs.map(({ outcome }) => outcome))].toSorted();
  const count = (outcome: string) => runs.filter((run) => run.outcome === outcome).length;
  return outcomes.map((outcome) => `${outcome} ${count(outcome)}`).join(", ");
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function isOf(file: string, name: string): boolean {
  return name === `${file}.jsonl`;
}
