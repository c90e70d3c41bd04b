// The only file of bench/report that touches the disk: reports/<id>/ with results.json and what is
// rendered from it, each whole or not at all, and `latest` beside them pointing at the newest.
// rename(2), fsync(2), symlink(2). Synchronous, so that an interrupted run leaves what it has.

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Results } from "../model/results.ts";
import { formats } from "./formats.ts";
import { parseResults, ResultsFormatError, serializeResults } from "./json.ts";
import { reportOf } from "./report.ts";

interface WriteOptions {
  /** Where report folders stand: reports/, or what --out names. Made if it is missing. */
  readonly reportsFolder: string;
  /** Makes a symbolic link; throws where the file system refuses. Only tests give another. */
  readonly symlink?: (target: string, path: string) => void;
}

interface WrittenReport {
  /** Such as reports/20261121T093000Z-quick. */
  readonly folder: string;
  readonly resultsPath: string;
  /** report.md. */
  readonly reportPath: string;
  /** report.html: one file that can be sent as it is. */
  readonly pagePath: string;
  /** cells.csv. */
  readonly csvPath: string;
  /** The folder of the .svg files; null if nothing could be drawn. */
  readonly chartsFolder: string | null;
  /** Null if `latest` could not be pointed at it, because something else has that name. */
  readonly latestPath: string | null;
}

/**
 * Writes a run's report into a new folder and points `latest` at it.
 * @throws {ResultsFormatError} before anything is written, where the results break their schema.
 * @throws the file system's error where a file cannot be written; nothing half-written is left
 * under its name.
 */
export function writeReport(results: Results, options: WriteOptions): WrittenReport {
  const json = serializeResults(results);
  const rendered = render(results);
  const folder = makeFolder(options.reportsFolder, reportId(results));
  const resultsPath = join(folder, "results.json");
  writeWhole(resultsPath, json);
  const paths = writeRendered(folder, rendered);
  return { folder, resultsPath, ...paths, latestPath: pointLatest(folder, options) };
}

/**
 * Reads a saved results.json and renders its report again, beside it or into another folder.
 * @param path the file, or the folder that holds it, such as reports/latest.
 * @param folder where the report goes; made if it is missing. Default: the folder of results.json.
 * @throws {ResultsFormatError} with what is wrong and where: no such file, empty, truncated, of a
 * foreign schema.
 */
export function renderSaved(path: string, folder?: string): SavedReport {
  const resultsPath = isFolder(path) ? join(path, "results.json") : path;
  const results = parseResults(readSaved(resultsPath), resultsPath);
  const rendered = render(results);
  const place = folder ?? dirname(resultsPath);
  makeFolders(place);
  return { results, folder: place, resultsPath, ...writeRendered(place, rendered) };
}

/** What renderSaved() left, and the results that it was rendered from. */
interface SavedReport extends Omit<WrittenReport, "latestPath"> {
  readonly results: Results;
}

/** Every file's text by its name, before the first is written. */
function render(results: Results): ReadonlyMap<string, string> {
  const report = reportOf(results);
  return new Map(Object.values(formats).flatMap(({ files }) => [...files(report)]));
}

function writeRendered(folder: string, rendered: ReadonlyMap<string, string>) {
  const chartsFolder = join(folder, "charts");
  const inner = new Set([...rendered.keys()].map(dirname).filter((name) => name !== "."));
  for (const name of inner) makeFolders(join(folder, name));
  for (const [name, text] of rendered) writeWhole(join(folder, name), text);
  for (const name of inner) syncFolder(join(folder, name));
  syncFolder(folder);
  return {
    reportPath: join(folder, "report.md"),
    pagePath: join(folder, "report.html"),
    csvPath: join(folder, "cells.csv"),
    chartsFolder: inner.has("charts") ? chartsFolder : null,
  };
}

function readSaved(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new ResultsFormatError(`${path}: cannot be read: ${detail}`);
  }
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** One level after another: Node's own way never ends below a folder that takes none, as /proc. */
export function makeFolders(folder: string): void {
  if (isFolder(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolders(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isFolder(folder)) throw error; // another process was faster
  }
}

/** When the run began, in UTC, and its profile: "20261121T093000Z-quick". */
export function reportId({ startedAt, profile }: Pick<Results, "startedAt" | "profile">): string {
  const stamp = startedAt.replace(/\.\d+/, "").replace(/[-:]/g, "");
  return `${stamp}-${profile.replace(/[^A-Za-z0-9._-]/g, "_")}`;
}

/** At most this many reports of one second and profile get a number; more indicate a fault. */
const maxReportsOfOneSecond = 1000;

/** Makes a new folder of that name, with a number if there is one already. */
export function makeFolder(reportsFolder: string, id: string): string {
  makeFolders(reportsFolder);
  for (let attempt = 1; attempt <= maxReportsOfOneSecond; attempt++) {
    const folder = join(reportsFolder, attempt === 1 ? id : `${id}-${attempt}`);
    try {
      mkdirSync(folder);
      return folder;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
  throw new Error(`${reportsFolder} holds ${maxReportsOfOneSecond} reports named ${id} already`);
}

/** A reader sees the old file or the new one, after a crash too: bytes are synced first. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const descriptor = openSync(temporary, "w");
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    discard(temporary);
    throw error;
  }
}

/** After an error, which is the one to report. */
function discard(temporary: string): void {
  try {
    rmSync(temporary, { force: true });
  } catch {}
}

/** Makes the renames durable; some file systems do not let a folder be synced. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (!hasCode(error, "EISDIR", "EINVAL", "EPERM", "EACCES", "ENOTSUP")) throw error;
  }
}

/** A relative link, so that reports may be moved; a text file where links are refused. */
function pointLatest(
  folder: string,
  { reportsFolder, symlink = symlinkSync }: WriteOptions,
): string | null {
  const latest = join(reportsFolder, "latest");
  const temporary = join(reportsFolder, `.latest.${process.pid}.tmp`);
  rmSync(temporary, { force: true });
  try {
    symlink(basename(folder), temporary);
  } catch {
    writeFileSync(temporary, `${basename(folder)}\n`);
  }
  try {
    renameSync(temporary, latest);
    return latest;
  } catch (error) {
    discard(temporary);
    // A folder of that name belongs to the user and stays; the report itself is written.
    if (hasCode(error, "EISDIR", "ENOTEMPTY", "EEXIST", "EPERM")) return null;
    throw error;
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}
