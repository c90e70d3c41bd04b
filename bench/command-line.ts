// Reads a command line by a table: each row names, explains and reads one option. Pure.

import { parseArgs } from "node:util";

/** Bad input: its message is one line for standard error. The exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** From the text after an option to its value. @throws {UsageError} */
export type OptionReader = (text: string, option: string) => unknown;

export interface OptionRow {
  readonly name: string;
  /** What the value is called in help, such as "N"; empty for a flag, which is true when given. */
  readonly value: string;
  readonly help: string;
  readonly read?: OptionReader;
}

export interface Given {
  /** By option; null where it was not given, false for a flag. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The words that belong to no option. */
  readonly words: readonly string[];
}

/** What every command understands. */
export const commonRows: readonly OptionRow[] = [
  { name: "help", value: "", help: "this text" },
  { name: "version", value: "", help: "the version" },
];

/** @throws {UsageError} on an unknown option, a missing value and a value out of range. */
export function parseOptions(argv: readonly string[], rows: readonly OptionRow[]): Given {
  const all = [...rows, ...commonRows];
  const { tokens } = parseArgs({
    args: [...argv],
    // Unknown options come back as tokens too, so that the message names the valid ones.
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      all.map(({ name, value }) => [
        name,
        { type: value === "" ? ("boolean" as const) : ("string" as const) },
      ]),
    ),
  });
  const values = Object.fromEntries(
    all.map(({ name, value }) => [name, value === "" ? false : null]),
  );
  const words: string[] = [];
  const given: Record<string, unknown> = values;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      words.push(token.value);
      continue;
    }
    const row = all.find(({ name }) => name === token.name);
    if (row === undefined) throw unknownOption(token.rawName, all);
    given[row.name] = row.value === "" ? true : readValue(token, row);
  }
  return { values: given, words };
}

/** The options, a line each, for --help. */
export function optionLines(rows: readonly OptionRow[]): string[] {
  const all = [...rows, ...commonRows];
  const left = ({ name, value }: OptionRow) => `  --${name} ${value}`.trimEnd();
  const width = Math.max(...all.map((row) => left(row).length)) + 2;
  return all.map((row) => `${left(row).padEnd(width)}${row.help}`);
}

function unknownOption(text: string, rows: readonly OptionRow[]): UsageError {
  const valid = rows.map(({ name }) => `--${name}`).join(" ");
  return new UsageError(`unknown option "${text}"; options: ${valid}`);
}

interface OptionToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function readValue({ rawName, value, inlineValue }: OptionToken, { name, read = word }: OptionRow) {
  // `--rate --blocks 3` is a forgotten value, not a rate called "--blocks".
  const forgotten = value === undefined || value === "" || (!inlineValue && value.startsWith("--"));
  if (forgotten) throw new UsageError(`${rawName} needs a value`);
  return read(value, `--${name}`);
}

export function word(text: string): string {
  return text;
}

/** Names, separated by commas; each once. */
export function words(text: string, option: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.includes("")) throw new UsageError(`${option}: an empty name in "${text}"`);
  return [...new Set(parts)];
}

/** A whole number of that range, both ends included. */
export function whole(low: number, high: number): (text: string, option: string) => number {
  return (text, option) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new UsageError(`${option}: "${text}" is not a whole number from ${low} to ${high}`);
  };
}

/** Whole numbers, separated by commas; each once. */
export function wholes(low: number, high: number): OptionReader {
  const read = whole(low, high);
  return (text, option) => words(text, option).map((part) => read(part, option));
}

/** A number of seconds, a fraction allowed. */
export function seconds(low: number, high: number): OptionReader {
  return (text, option) => {
    const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new UsageError(`${option}: "${text}" is not a number of seconds from ${low} to ${high}`);
  };
}
