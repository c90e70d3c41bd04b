// The command line of `npm run bench`, from words to checked values; one table names, explains and
// reads each option. Enters: the arguments. Leaves: a Request for bench/plan.ts, or a UsageError of
// one line that names what is wrong.

import { parseArgs } from "node:util";

/** What was asked for; null leaves it to the profile. */
export interface Request {
  readonly profile: string | null;
  readonly contenders: readonly string[] | null;
  readonly connections: readonly number[] | null;
  readonly rate: number | null;
  readonly payload: number | null;
  /** Measured time a round, in seconds. */
  readonly duration: number | null;
  readonly blocks: number | null;
  readonly seed: number | null;
  readonly out: string | null;
}

export type Command =
  | { readonly name: "run"; readonly request: Request }
  | { readonly name: "help" }
  | { readonly name: "version" };

/** Bad input: its message is one line for standard error. The exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

type Reader = (text: string, option: string) => unknown;

interface OptionRow {
  readonly name: keyof Request;
  readonly value: string;
  readonly help: string;
  readonly read: Reader;
}

const rows: readonly OptionRow[] = [
  { name: "profile", value: "NAME", help: "what to run", read: word },
  { name: "contenders", value: "A,B", help: "only these, and the reference", read: words },
  { name: "connections", value: "N[,N]", help: "how many, one cell each", read: list(1, 1e6) },
  {
    name: "rate",
    value: "N",
    help: "messages a second, over all connections",
    read: whole(1, 1e7),
  },
  { name: "payload", value: "BYTES", help: "bytes a message", read: whole(1, 1 << 20) },
  { name: "duration", value: "SECONDS", help: "measured time a round", read: seconds(0.05, 3600) },
  { name: "blocks", value: "N", help: "passes over all contenders", read: whole(1, 1000) },
  {
    name: "seed",
    value: "N",
    help: "of orders, schedules, resamples",
    read: whole(0, 2 ** 32 - 1),
  },
  { name: "out", value: "DIR", help: "where reports go", read: word },
];

const flags = ["help", "version"] as const;

/** @throws {UsageError} on an unknown option, a missing value and a value out of range. */
export function parseCommand(argv: readonly string[]): Command {
  const { tokens } = parseArgs({
    args: [...argv],
    // Unknown options come back as tokens too, so that the message names the valid ones.
    strict: false,
    tokens: true,
    options: Object.fromEntries([
      ...rows.map(({ name }) => [name, { type: "string" as const }]),
      ...flags.map((name) => [name, { type: "boolean" as const }]),
    ]),
  });
  const request: Record<string, unknown> = Object.fromEntries(rows.map(({ name }) => [name, null]));
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") throw unknown("argument", token.value);
    const flag = flags.find((name) => name === token.name);
    if (flag !== undefined) return { name: flag };
    const row = rows.find(({ name }) => name === token.name);
    if (row === undefined) throw unknown("option", token.rawName);
    request[row.name] = row.read(givenValue(token), `--${row.name}`);
  }
  return { name: "run", request: request as unknown as Request };
}

/** The options, a line each, for --help. */
export function optionLines(): string[] {
  const flagRows = [
    { name: "help", value: "", help: "this text" },
    { name: "version", value: "", help: "the version" },
  ];
  return [...rows, ...flagRows].map(
    ({ name, value, help }) => `  ${`--${name} ${value}`.padEnd(24)}${help}`,
  );
}

function unknown(what: string, text: string): UsageError {
  const valid = [...rows.map(({ name }) => name), ...flags].map((name) => `--${name}`);
  return new UsageError(`unknown ${what} "${text}"; options: ${valid.join(" ")}`);
}

function givenValue(token: {
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}) {
  const { rawName, value, inlineValue } = token;
  // `--rate --blocks 3` is a forgotten value, not a rate called "--blocks".
  const forgotten = value === undefined || value === "" || (!inlineValue && value.startsWith("--"));
  if (forgotten) throw new UsageError(`${rawName} needs a value`);
  return value;
}

function word(text: string): string {
  return text;
}

function words(text: string, option: string): string[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.includes("")) throw new UsageError(`${option}: an empty name in "${text}"`);
  return [...new Set(parts)];
}

function whole(low: number, high: number): (text: string, option: string) => number {
  return (text, option) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new UsageError(`${option}: "${text}" is not a whole number from ${low} to ${high}`);
  };
}

function list(low: number, high: number): Reader {
  const read = whole(low, high);
  return (text, option) => words(text, option).map((part) => read(part, option));
}

function seconds(low: number, high: number): Reader {
  return (text, option) => {
    const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new UsageError(`${option}: "${text}" is not a number of seconds from ${low} to ${high}`);
  };
}
