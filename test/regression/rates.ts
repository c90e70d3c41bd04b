// How often the gate's rule would be right, by the spread of a pair: simulated, with seeds. Prints
// a table in Markdown; docs/regression.md quotes it for the default profile.
//
//   node --import ./test/typescript.mjs test/regression/rates.ts

import { optionLines, readOptions, UsageError, wholeNumber } from "../programs/options.ts";
import { simulate } from "./simulated.ts";

const rows = [
  { name: "pairs", value: "N", help: "of each test at least; default: 10" },
  { name: "pairs-at-most", value: "N", help: "if the effect would not be detected; default: 40" },
  { name: "tests", value: "N", help: "that gate in one run; default: 5" },
  { name: "runs", value: "N", help: "a figure; default: 300" },
];

const margins = [0.02, 0.05];
const spreads = [0.01, 0.02, 0.03, 0.05, 0.1];
const effects = [1, 1.05, 1.1];
/** What is neither is inconclusive. */
const decided = ["regression", "same"];

process.exitCode = main(process.argv.slice(2));

function main(argv: readonly string[]): number {
  try {
    const given = readOptions(argv, rows);
    if (given === null) process.stdout.write(`rates.ts [options]\n${optionLines(rows)}`);
    else printRates(given);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`rates: ${error.message}\n`);
    return 2;
  }
}

function printRates(given: ReadonlyMap<string, string>): void {
  const number = (name: string, usual: number, low: number) =>
    wholeNumber(given.get(name) ?? String(usual), name, low, 10_000);
  const [pairs, pairsAtMost, tests, runs] = [
    number("pairs", 10, 6),
    number("pairs-at-most", 40, 6),
    number("tests", 5, 1),
    number("runs", 300, 1),
  ];
  const heads = effects.map((effect) =>
    effect === 1 ? "head equal" : `head ${percent(effect - 1)} slower`,
  );
  printRow(["margin", "σ", ...heads]);
  printRow(["margin", "σ", ...heads].map(() => "---"));
  for (const margin of margins) {
    for (const sigma of spreads) {
      const cells = effects.map((ratio) =>
        shares(simulate({ ratio, sigma, margin, pairs, pairsAtMost, tests, runs }), runs),
      );
      printRow([percent(margin), percent(sigma), ...cells]);
    }
  }
}

function shares(counts: Record<string, number>, runs: number): string {
  const [regression = 0, same = 0] = decided.map((word) => counts[word] ?? 0);
  const parts = [regression, runs - regression - same, same];
  return parts.map((count) => `${Math.round((100 * count) / runs)}`).join(" / ");
}

function printRow(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}
