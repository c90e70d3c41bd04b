// Whether what a command will write can be written, before it measures for minutes.

import { closeSync, mkdtempSync, openSync, rmdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { UsageError } from "../command-line.ts";
import { isSystemError, OutputError, reasonOf } from "../host/output.ts";
import { isFolder, makeFolders } from "../report/write.ts";

/** Makes it if it is missing. @throws {UsageError} */
export function writableFolder(folder: string, option: string): string {
  return attempt(folder, option, () => {
    makeFolders(folder);
    takesFiles(folder);
  });
}

/** Of a file that writeWhole() replaces: makes its folder if it is missing. @throws {UsageError} */
export function writableFile(file: string, option: string): string {
  return attempt(file, option, () => {
    if (isFolder(file)) throw new Error("it is a folder");
    makeFolders(dirname(file));
    takesFiles(dirname(file));
  });
}

/** Makes it and its folder where they are missing. @throws {UsageError} */
export function appendableFile(file: string, option: string): string {
  return attempt(file, option, () => {
    makeFolders(dirname(file));
    closeSync(openSync(file, "a"));
  });
}

/** Writes to a place that was writable before. @throws {OutputError} */
export function written<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw isSystemError(error) ? new OutputError(error, `"${path}"`) : error;
  }
}

/** As a path is read: from the working directory, if it is below that. */
export function shortPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below.startsWith("..") ? path : below;
}

/** access(2) lets root write to /proc, which takes no files. */
function takesFiles(folder: string): void {
  rmdirSync(mkdtempSync(join(folder, ".io-selectors-")));
}

function attempt(path: string, option: string, open: () => void): string {
  try {
    open();
    return path;
  } catch (error) {
    throw new UsageError(
      `${option}: cannot write to "${path}": ${reasonOf(error)}; give a path that can be written`,
    );
  }
}
