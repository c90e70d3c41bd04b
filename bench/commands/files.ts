// Whether what a command will write can be written, before it measures for minutes.

import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from "node:fs";
import { dirname, relative } from "node:path";
import { UsageError } from "../command-line.ts";
import { messageOf } from "./command.ts";

/** Makes it if it is missing. @throws {UsageError} */
export function writableFolder(folder: string, option: string): string {
  return attempt(folder, option, () => {
    makeFolder(folder);
    accessSync(folder, constants.W_OK);
  });
}

/** Makes it and its folder where they are missing. @throws {UsageError} */
export function appendableFile(file: string, option: string): string {
  return attempt(file, option, () => {
    makeFolder(dirname(file));
    closeSync(openSync(file, "a"));
  });
}

/** As a path is read: from the working directory, if it is below that. */
export function shortPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below.startsWith("..") ? path : below;
}

/** One level after another: Node's own way never ends below a folder that takes none, as /proc. */
function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isFolder(folder)) throw error; // another process was faster
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function attempt(path: string, option: string, open: () => void): string {
  try {
    open();
    return path;
  } catch (error) {
    throw new UsageError(`${option}: cannot write to "${path}": ${messageOf(error)}`);
  }
}
