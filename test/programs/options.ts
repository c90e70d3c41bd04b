// The command lines of the programs below test/: a table of options, read by Node's own parser.

import { parseArgs } from "node:util";

/** Bad input; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface OptionRow {
  readonly name: string;
  /** What stands for the value in the help. */
  readonly value: string;
  readonly help: string;
}

/**
 * @returns the text given for each option, where it was; null for --help.
 * @throws {UsageError} for what is no option, or has no value.
 */
export function readOptions(
  argv: readonly string[],
  rows: readonly OptionRow[],
): ReadonlyMap<string, string> | null {
  const options = Object.fromEntries([
    ...rows.map(({ name }) => [name, { type: "string" as const }]),
    ["help", { type: "boolean" as const }],
  ]);
  try {
    const values: Record<string, unknown> = parseArgs({ args: [...argv], options }).values;
    if (values["help"] === true) return null;
    return new Map(Object.entries(values).map(([name, value]) => [name, String(value)]));
  } catch (error) {
    // Node's message names the option; what follows its first sentence is for programmers.
    const [first = ""] = (error as Error).message.split(/\. |\n/);
    const names = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`${first.replace(/\.$/, "")}; options: ${names.join(" ")}`);
  }
}

/** @throws {UsageError} unless `text` is such a number. */
export function wholeNumber(text: string, option: string, low: number, high: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new UsageError(`--${option}: "${text}" is not a whole number from ${low} to ${high}`);
}

/** The options, a line each. */
export function optionLines(rows: readonly OptionRow[]): string {
  return [...rows, { name: "help", value: "", help: "this text" }]
    .map(({ name, value, help }) => `  ${`--${name} ${value}`.padEnd(22)}${help}\n`)
    .join("");
}
