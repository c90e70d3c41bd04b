// Reads a command line by a table: each row names, explains and reads one option. Pure.

import { parseArgs } from "node:util";

/** Bad input: its message is one line for standard error. The exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** From the text after an option to its value. @throws {UsageError} */
type OptionReader = (text: string, option: string) => unknown;

export interface OptionRow {
  readonly name: string;
  /** What the value is called in help, such as "N"; empty for a flag, which is true when given. */
  readonly value: string;
  readonly help: string;
  readonly read?: OptionReader;
  /** It may be given several times: its value is a list, in that order. */
  readonly many?: true;
  /** The page that explains it: help names such options together, in one line. */
  readonly page?: string;
}

/** An option with a value. */
export function option(name: string, value: string, help: string, read: OptionReader): OptionRow {
  return { name, value, help, read };
}

/** An option without one. */
export function flag(name: string, help: string): OptionRow {
  return { name, value: "", help };
}

export interface Given {
  /** By option; null if it was not given, false for a flag. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The words that belong to no option. */
  readonly words: readonly string[];
}

/** What every command understands. */
const commonRows: readonly OptionRow[] = [
  flag("help", "this text"),
  flag("version", "the version"),
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
        {
          type: value === "" ? ("boolean" as const) : ("string" as const),
          ...(name === "help" ? { short: "h" } : {}),
        },
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
    if (row.value === "" && token.value !== undefined) {
      throw new UsageError(`${token.rawName} takes no value: omit "=${token.value}"`);
    }
    const value = row.value === "" ? true : readValue(token, row);
    const before = (given[row.name] ?? []) as readonly unknown[];
    given[row.name] = row.many === true ? [...before, value] : value;
  }
  return { values: given, words };
}

/** Help fits such a terminal. */
export const helpColumns = 80;
/** `npx io-selectors bench` is longer than `npm run bench --`. */
export const exampleColumns = helpColumns - 6;
/** An option with a longer value has its words on the next line. */
const longestLeft = 32;

/** The options for --help, wrapped; those that a page explains in one line, with its name. */
export function optionLines(rows: readonly OptionRow[]): string[] {
  const all = [...rows, ...commonRows].filter(({ page }) => page === undefined);
  const left = ({ name, value }: OptionRow) => `  --${name} ${value}`.trimEnd();
  const lengths = all.map((row) => left(row).length).filter((length) => length <= longestLeft);
  const width = Math.max(...lengths) + 2;
  const described = (row: OptionRow) => {
    const [first = "", ...rest] = filled(row.help, helpColumns - width);
    const further = rest.map((line) => " ".repeat(width) + line);
    return left(row).length > longestLeft
      ? [left(row), `${" ".repeat(width)}${first}`, ...further]
      : [`${left(row).padEnd(width)}${first}`, ...further];
  };
  const pages = new Set(rows.flatMap(({ page }) => page ?? []));
  return [
    ...all.flatMap(described),
    ...[...pages].flatMap((page) => {
      const names = rows.filter((row) => row.page === page).map(({ name }) => `--${name}`);
      return [...filled(`  ${names.join(", ")}:`, helpColumns), `${" ".repeat(width)}${page}`];
    }),
  ];
}

/** A command line in lines that end with a backslash, each further one from an option on. */
export function commandLines(line: string, columns: number): string[] {
  const lines: string[] = [];
  for (const part of line.split(/ (?=--[a-z])/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 3 + part.length > columns) lines.push(part);
    else lines[lines.length - 1] = `${last} ${part}`;
  }
  return lines.map((part, index) => {
    const start = index === 0 ? "" : "    ";
    return `${start}${part}${index < lines.length - 1 ? " \\" : ""}`;
  });
}

/** Words in lines of at most so many columns; a longer word has a line of its own. */
export function filled(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function unknownOption(text: string, rows: readonly OptionRow[]): UsageError {
  const names = rows.map(({ name }) => `--${name}`);
  return new UsageError(`unknown option "${text}"; ${suggestion(text, names, "options", " ")}`);
}

/** "did you mean X?" if one of the names is near, else all of them. */
export function suggestion(
  text: string,
  names: readonly string[],
  kind: string,
  between = ", ",
): string {
  const [nearest = ""] = [...names].sort((one, other) => apart(text, one) - apart(text, other));
  const near = apart(text, nearest) <= Math.max(1, Math.floor(text.length / 3));
  return near ? `did you mean ${nearest}?` : `${kind}: ${names.join(between)}`;
}

/** The optimal string alignment distance: letters inserted, removed, replaced or swapped. */
function apart(one: string, other: string): number {
  let [before, row]: number[][] = [[], Array.from({ length: other.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      const at = (values: readonly number[] | undefined, index: number) => values?.[index] ?? 0;
      const steps = [at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + (same ? 0 : 1)];
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (swapped) steps.push(at(before, j - 2) + 1);
      next.push(Math.min(...steps));
    }
    [before, row] = [row ?? [], next];
  }
  return row?.at(-1) ?? 0;
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
  if (parts.includes("")) throw new UsageError(`${option}: an empty entry in "${text}"`);
  return [...new Set(parts)];
}

type NumberReader = (text: string, option: string) => number;

/** What a number may end with, and what it is multiplied by. */
type Units = Readonly<Record<string, number>>;

const counts: Units = { k: 1e3, M: 1e6 };
const sizes: Units = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, ...counts };
const times: Units = { ms: 1e-3, s: 1, min: 60 };

/** A whole number of that range, both ends included: 10000 or 10k. */
export function whole(low: number, high: number, units = counts, kind = ""): NumberReader {
  return numberReader(units, {
    fits: (value) => Number.isInteger(value) && value >= low && value <= high,
    range: `a whole number ${kind}from ${low} to ${high}`,
  });
}

/** A number of bytes: 65536 or 64KiB. */
export function byteCount(low: number, high: number): NumberReader {
  return whole(low, high, sizes, "of bytes ");
}

interface Bounds {
  readonly fits: (value: number) => boolean;
  readonly range: string;
}

function numberReader(units: Units, { fits, range }: Bounds): NumberReader {
  return (text, option) => {
    const [, digits = "", unit = ""] = /^(\d+\.?\d*|\.\d+)([A-Za-z]*)$/.exec(text) ?? [];
    const factor = unit === "" ? 1 : (units[unit] ?? Number.NaN);
    // Without the noise of the multiplication: 1.1k is 1,100.
    const value = Number((Number(digits || Number.NaN) * factor).toPrecision(12));
    if (fits(value)) return value;
    const endings = Object.keys(units).join(", ");
    throw new UsageError(`${option}: "${text}" is not ${range} (it may end with ${endings})`);
  };
}

/** Whole numbers, separated by commas; each once. */
export function wholes(low: number, high: number): OptionReader {
  const read = whole(low, high);
  return (text, option) => words(text, option).map((part) => read(part, option));
}

/** A number of seconds, a fraction allowed: 0.5, 500ms, 2s or 1min. */
export function seconds(low: number, high: number): NumberReader {
  return numberReader(times, {
    fits: (value) => value >= low && value <= high,
    range: `a number of seconds from ${low} to ${high}`,
  });
}
