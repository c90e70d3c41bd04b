// trend: draws a history of runs. It never gates.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { option, UsageError, word } from "../command-line.ts";
import {
  appendHistory,
  HistoryFormatError,
  type HistoryRecord,
  readHistory,
  recordOfResults,
} from "../gate/history.ts";
import { trendsOf } from "../gate/trend.ts";
import { renderTrends } from "../gate/trend-page.ts";
import { trendLines } from "../gate/trend-words.ts";
import type { Results } from "../model/results.ts";
import { writeWhole } from "../report/write.ts";
import {
  type Command,
  exitUsage,
  openIfAsked,
  openRow,
  print,
  readerExitLines,
  say,
} from "./command.ts";
import { appendableFile, shortPath, writableFile, written } from "./files.ts";
import { terminalOf } from "./measuring.ts";
import { readResults } from "./saved.ts";

export const trendCommand: Command = {
  name: "trend",
  summary: "draws a history of runs, and marks where its figures changed",
  operands: "HISTORY.jsonl",
  options: [
    option("add", "RESULTS", "appends this results.json first, unless it is there already", word),
    option("page", "FILE", "path of the page; default: trend.html in the same folder", word),
    openRow,
  ],
  examples: [
    [
      "npm run bench:regression -- --base HEAD~1 --history reports/history.jsonl",
      "makes one",
      "clone",
    ],
    ["npm run bench -- trend reports/history.jsonl", "draws reports/trend.html"],
  ],
  exits: readerExitLines,
  execute: async (given) => {
    const { values, words } = given;
    const [file, ...more] = words;
    if (file === undefined || more.length > 0) {
      throw new UsageError("trend takes one file: a history that --history has made");
    }
    const added = values["add"] as string | null;
    const results = added === null ? null : readResults(added);
    if (added !== null && results === null) return exitUsage;
    const page = (values["page"] as string | null) ?? join(dirname(file), "trend.html");
    try {
      // Before it is appended to: a file that is no history stays as it is.
      const records = results !== null && !existsSync(file) ? [] : readHistory(file);
      writableFile(page, "--page");
      if (results !== null) add(results, { file, records });
      if (records.length === 0) {
        say(`bench: ${file} has no runs; --history of regression appends one`);
        return exitUsage;
      }
      const trends = trendsOf(records);
      written(page, () => writeWhole(page, renderTrends(trends)));
      for (const line of trendLines(trends, terminalOf(process.stdout).width)) print(line);
      say(`Page: ${shortPath(page)}`);
      await openIfAsked(given, page);
      return 0;
    } catch (error) {
      if (!(error instanceof HistoryFormatError)) throw error;
      say(`bench: ${error.message}`);
      return exitUsage;
    }
  },
};

interface History {
  readonly file: string;
  readonly records: HistoryRecord[];
}

/** A run is one point, also if its command is given again. */
function add(results: Results, { file, records }: History): void {
  const record = recordOfResults(results);
  const { at, commit } = record;
  if (records.some((one) => one.at === at && one.commit === commit)) {
    say(`${file} has the run of ${at} already: nothing is added`);
    return;
  }
  appendableFile(file, "trend");
  written(file, () => appendHistory(file, record));
  records.push(record);
}
