// What a command of `npm run bench` is, and the two streams that it speaks on. A new command is one
// file in this folder and one row in bench/cli.ts.

import { flag, type Given, type OptionRow } from "../command-line.ts";
import { openPage } from "../host/browser.ts";
import { widthOf, writeOutput } from "../host/output.ts";
import { wrap } from "../report/text-table.ts";

export interface Command {
  readonly name: string;
  /** What it does, as one phrase. */
  readonly summary: string;
  /** What follows its name, apart from options, such as "RESULTS.json"; empty for nothing. */
  readonly operands: string;
  readonly options: readonly OptionRow[];
  /** Whole command lines, each with a word on what it does; some only work in a clone. */
  readonly examples: readonly (readonly [line: string, meaning: string, needs?: "clone"])[];
  /** Further sections of its help. */
  readonly details?: () => string[];
  /** What its exit codes mean, if not the common ones. */
  readonly exits?: readonly string[];
  /** @returns the exit code. @throws {UsageError} on what the options' table cannot check. */
  readonly execute: (given: Given) => Promise<number>;
}

export const exitFailure = 1;
export const exitUsage = 2;

/** The exit codes of the commands that measure and do not decide between a base and a head. */
export const exitLines: readonly string[] = [
  "exit codes:",
  "  0  done",
  "  1  a contender failed, none that was asked for could run, --fail-if was met,",
  "     or nothing could be written",
  "  2  a wrong option or path, a missing program, or a file that cannot be read",
  "  3  contenders ran, but the noise was too high to rank any",
  "  129, 130, 143  ended by SIGHUP, SIGINT or SIGTERM; what was measured is kept",
];

/** The exit codes of the commands that measure nothing. */
export const readerExitLines: readonly string[] = [
  "exit codes:",
  "  0  done",
  "  1  the command failed, or its output could not be written",
  "  2  a wrong option or path, a missing program, or a file that cannot be read",
];

/** Writes results to standard output. @returns 0, an exit code. @throws {OutputError} */
export function print(text: string): number {
  writeOutput(`${text}\n`);
  return 0;
}

/** The option of every command that leaves a page. */
export const openRow: OptionRow = flag("open", "opens the page in a browser");

/** Shows the page if `--open` was given. A browser that is missing is no failure. */
export async function openIfAsked({ values }: Given, path: string): Promise<void> {
  const problem = values["open"] === true ? await openPage(path) : null;
  if (problem !== null) say(`bench: ${problem}`);
}

/** What is going on, on standard error. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The same for a text that may be longer than the terminal is wide; in a log it stays whole. */
export function sayWrapped(text: string): void {
  const width = widthOf(process.stderr) - 1;
  for (const line of text.length <= width ? [text] : wrap(text, width, "  ")) say(line);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
