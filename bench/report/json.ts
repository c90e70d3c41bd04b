// results.json: written, and read back with every field checked, so that a truncated file, a
// foreign schema or a missing figure is an error with a place and never a silent zero. The schema
// in words is in reports/README.md. Enters: Results or text. Leaves: text or Results.

import {
  type Cell,
  type Metric,
  type Results,
  statuses,
  type TimelineRound,
} from "../model/results.ts";

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
 * Reads results.json of schemaVersion 1. Fields that this version does not know are kept.
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
  refuse(value, source);
  return value;
}

function refuse(value: unknown, source: string): asserts value is Results {
  const complaint = versionComplaint(value) ?? checkResults(value, "");
  if (complaint !== null) throw new ResultsFormatError(`${source}: ${complaint}`);
}

/** Looked at first: of a foreign schema, no other complaint says what is wrong. */
function versionComplaint(value: unknown): string | null {
  if (!isRecord(value)) return `expected an object, got ${shown(value)}`;
  if (value["kind"] === "regression") return "a verdict of the gate, not the results of a run";
  if (value["schemaVersion"] === undefined) return "schemaVersion is missing";
  return value["schemaVersion"] === 1
    ? null
    : `schemaVersion ${shown(value["schemaVersion"])} is foreign; this version reads 1`;
}

/**
 * Says what is wrong with a value, or null where nothing is. The path is where the value stands.
 */
type Check = (value: unknown, path: string) => string | null;

const text: Check = (value, path) =>
  typeof value === "string" ? null : unexpected(path, "a string", value);

const number: Check = (value, path) =>
  typeof value === "number" && Number.isFinite(value) ? null : unexpected(path, "a number", value);

const amount: Check = (value, path) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? null
    : unexpected(path, "a whole number, 0 or more", value);

const boolean: Check = (value, path) =>
  typeof value === "boolean" ? null : unexpected(path, "true or false", value);

const time: Check = (value, path) =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value)
    ? null
    : unexpected(path, "a time in UTC such as 2026-11-21T09:30:00Z", value);

const status: Check = (value, path) =>
  statuses.some((word) => word === value)
    ? null
    : unexpected(path, `one of ${statuses.join(", ")}`, value);

const anything: Check = () => null;

function nullable(check: Check): Check {
  return (value, path) => (value === null ? null : check(value, path));
}

/** A field that may be missing altogether; see record(). */
function optional(check: Check): Check {
  return Object.assign((value: unknown, path: string) => check(value, path), { optional: true });
}

function list(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return unexpected(path, "an array", value);
    return first(value.map((item, index) => () => check(item, `${path}[${index}]`)));
  };
}

/** An object whose own fields all satisfy one check. */
function mapOf(check: Check): Check {
  return (value, path) => {
    if (!isRecord(value)) return unexpected(path, "an object", value);
    return first(
      Object.entries(value).map(
        ([name, item]) =>
          () =>
            check(item, join(path, name)),
      ),
    );
  };
}

/** An object with at least these fields. */
function record(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (!isRecord(value)) return unexpected(path, "an object", value);
    return first(
      Object.entries(fields).map(([name, check]) => () => {
        const item = value[name];
        if (item !== undefined) return check(item, join(path, name));
        return "optional" in check ? null : `${join(path, name)} is missing`;
      }),
    );
  };
}

/**
 * The compiler holds each table of checks against its type: a new field cannot be forgotten here.
 */
type Checks<T> = { readonly [Field in keyof Required<T>]: Check };

const metricChecks: Checks<Metric> = {
  unit: text,
  median: nullable(number),
  low: nullable(number),
  high: nullable(number),
  blocks: list(number),
};

const cellChecks: Checks<Cell> = {
  workload: text,
  contender: text,
  connections: amount,
  activeConnections: amount,
  payloadBytes: amount,
  ratePerSecond: nullable(number),
  variant: optional(text),
  headline: optional(text),
  status,
  reason: nullable(text),
  blocks: amount,
  dropped: amount,
  droppedBlocks: optional(amount),
  detectableEffect: optional(nullable(number)),
  messages: amount,
  mismatches: amount,
  metrics: mapOf(record(metricChecks)),
  facts: optional(mapOf(text)),
  latencyHistogram: optional(nullable(text)),
  latencyHistogramUncorrected: optional(nullable(text)),
};

const roundChecks: Checks<TimelineRound> = {
  workload: text,
  contender: text,
  connections: amount,
  activeConnections: amount,
  payloadBytes: amount,
  variant: optional(text),
  block: amount,
  startedMs: number,
  durationMs: number,
  windows: amount,
  dropped: amount,
  reason: nullable(text),
  failed: boolean,
  counted: optional(boolean),
};

const resultsChecks: Checks<Results> = {
  schemaVersion: amount,
  profile: text,
  startedAt: time,
  finishedAt: time,
  complete: boolean,
  seed: number,
  environment: record({ fingerprint: text }),
  settings: mapOf(anything),
  reference: text,
  cells: list(record(cellChecks)),
  timeline: optional(list(record(roundChecks))),
};

const checkResults = record(resultsChecks);

function first(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const complaint = check();
    if (complaint !== null) return complaint;
  }
  return null;
}

function unexpected(path: string, expected: string, value: unknown): string {
  return `${path}: expected ${expected}, got ${shown(value)}`;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (isRecord(value)) return "an object";
  const literal = typeof value === "string" ? JSON.stringify(value) : String(value);
  return literal.length > 60 ? `${literal.slice(0, 57)}…` : literal;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
