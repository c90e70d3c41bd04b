// Reads a results.json for the commands that take one.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Results } from "../model/results.ts";
import { plainLine } from "../report/format.ts";
import { parseResults, ResultsFormatError } from "../report/json.ts";
import { isFolder } from "../report/write.ts";
import { messageOf, say } from "./command.ts";

/** @param path the file or its folder. @returns null if it is not ours; prints why. */
export function readResults(path: string): Results | null {
  const file = isFolder(path) ? join(path, "results.json") : path;
  try {
    return parseResults(readFileSync(file, "utf8"), file);
  } catch (error) {
    const foreign = error instanceof ResultsFormatError;
    // V8 quotes what it could not parse, with its line breaks.
    const message = plainLine(messageOf(error));
    say(`bench: ${foreign ? "" : `cannot read "${file}": `}${message}`);
    return null;
  }
}
