// results.json: written, and read back with every field checked, so that a truncated file, a
// foreign schema or a missing figure is an error with a place and never a silent zero.

import { type Results, resultsSchema, schemaVersion } from "../model/results.ts";
import { isRecord, unexpected } from "../model/schema.ts";
import { raiseVersion1 } from "../model/version-1.ts";
import { noFiles, type ReportFormat } from "./rendering.ts";

/** A results.json that cannot be trusted; the message names the source and the field. */
export class ResultsFormatError extends Error {
  override readonly name = "ResultsFormatError";
}

/**
 * The text of results.json, with a line an array of blocks.
 * @throws {ResultsFormatError} on values that the schema does not hold, such as NaN: better no file
 * than a wrong one.
 */
export function serializeResults(results: Results): string {
  refuse(results, "results");
  const text = JSON.stringify(results, null, 2);
  // Only real line breaks match, and a JSON string holds none.
  const numbers = /\[\n\s*(-?[\d.eE+-]+(?:,\n\s*-?[\d.eE+-]+)*)\n\s*\]/g;
  return `${text.replace(numbers, (_, items: string) => `[${items.replace(/\n\s*/g, " ")}]`)}\n`;
}

/**
 * Reads results.json, of an earlier schemaVersion too. Fields that this version does not know are
 * kept.
 * @param source the file's name, for messages.
 * @throws {ResultsFormatError}
 */
export function parseResults(text: string, source: string): Results {
  let value: unknown;
  if (text.trim() === "") throw new ResultsFormatError(`${source}: not JSON: the file is empty`);
  try {
    value = JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new ResultsFormatError(`${source}: not JSON, perhaps truncated: ${detail}`);
  }
  const results =
    isRecord(value) && value["schemaVersion"] === 1 && value["kind"] === undefined
      ? raiseVersion1(value)
      : value;
  refuse(results, source);
  return results;
}

/** write.ts saves it: the file that all others are made from. */
export const json: ReportFormat = {
  name: "json",
  text: ({ results }) => serializeResults(results),
  files: () => noFiles,
};

function refuse(value: unknown, source: string): asserts value is Results {
  const complaint = versionComplaint(value) ?? resultsSchema.check(value, "");
  if (complaint !== null) throw new ResultsFormatError(`${source}: ${complaint}`);
}

/** Looked at first: of a foreign schema, no other complaint says what is wrong. */
function versionComplaint(value: unknown): string | null {
  if (!isRecord(value)) return unexpected("", "an object", value);
  if (value["kind"] === "regression") return "a verdict of the gate, not the results of a run";
  const version = value["schemaVersion"];
  if (version === undefined) return "schemaVersion is missing";
  if (version === schemaVersion) return null;
  return `schemaVersion ${JSON.stringify(version)} is not supported; this version reads 1 and 2`;
}
