// io-selectors.json: the options of the gate that belong to a repository, under their names.
// Options on the command line take precedence.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Given, type OptionRow, UsageError } from "../command-line.ts";
import { isRecord } from "../model/schema.ts";
import { messageOf } from "./command.ts";

export const gateFile = "io-selectors.json";

/** Options that belong to one run, not to a repository. */
const ofOneRun = ["head", "out", "history", "annotate", "json", "seed"];

/** The options given, and those of the file of that folder. @throws {UsageError} */
export function withGateFile(given: Given, rows: readonly OptionRow[], folder: string): Given {
  const path = join(folder, gateFile);
  if (!existsSync(path)) return given;
  const values: Record<string, unknown> = { ...given.values };
  for (const [name, value] of Object.entries(readObject(path))) {
    const row = rows.find((one) => one.name === name && !ofOneRun.includes(name));
    if (row === undefined) throw new UsageError(`${gateFile}: ${unknown(name, rows)}`);
    if (isGiven(values[name])) continue;
    values[name] = readValue(row, value);
  }
  return { ...given, values };
}

/** A flag that is not given is false. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function readObject(path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`${gateFile}: ${messageOf(error)}`);
  }
  if (isRecord(value)) return value;
  throw new UsageError(`${gateFile}: not an object of options, such as {"command": "…"}`);
}

function readValue({ name, read, many }: OptionRow, value: unknown): unknown {
  if (read === undefined) {
    if (typeof value === "boolean") return value;
    throw new UsageError(`${gateFile}: "${name}" must be true or false`);
  }
  const one = (text: unknown) => {
    if (text === "") throw new UsageError(`${gateFile}: "${name}" is empty`);
    if (typeof text === "string" || typeof text === "number") {
      return read(String(text), `${gateFile}: ${name}`);
    }
    throw new UsageError(`${gateFile}: "${name}" must be a string or a number`);
  };
  return many === true ? [value].flat().map(one) : one(value);
}

function unknown(name: string, rows: readonly OptionRow[]): string {
  const valid = rows
    .map((row) => row.name)
    .filter((one) => !ofOneRun.includes(one))
    .join(", ");
  return `unknown option "${name}"; one of: ${valid}`;
}
