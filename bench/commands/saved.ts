// Reads a results.json for the commands that take one.

import { readFileSync } from "node:fs";
import type { Results } from "../model/results.ts";
import { plainLine } from "../report/format.ts";
import { parseResults, ResultsFormatError } from "../report/json.ts";
import { messageOf, say } from "./command.ts";

/** Says what is wrong with the file where it is not ours; null then. */
export function readResults(file: string): Results | null {
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
