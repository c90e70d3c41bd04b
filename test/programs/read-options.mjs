// Runs command lines of the benchmark's CLI in one process, given as JSON with their folders:
// read-options.mjs LINES [FOLDERS [CLI]], where CLI is another program, from the working directory.
// For lines that end before anything is measured, such as those with --help: a process per line
// takes five times as long. Writes the exit code, standard output and standard error of each, as
// JSON, to descriptor 3. Standard output is caught where it is a pipe.

import { EventEmitter } from "node:events";
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

// Each line adds its listeners to the streams of this process.
EventEmitter.defaultMaxListeners = 0;

const outcomes = [];
let program;
let said = { stdout: "", stderr: "" };
for (const name of ["stdout", "stderr"]) {
  process[name].write = (text) => {
    said[name] += text;
    return true;
  };
}
const [lines, folders] = process.argv.slice(2, 4).map((text) => JSON.parse(text));
const own = new URL("../../dist/bench/cli.js", import.meta.url);
const { href: cli } = process.argv[4] === undefined ? own : pathToFileURL(process.argv[4]);
for (const [index, words] of lines.entries()) {
  if (folders !== undefined) process.chdir(folders[index]);
  process.argv.splice(2, process.argv.length, ...words);
  said = { stdout: "", stderr: "" };
  process.exitCode = undefined;
  // Compiling the program takes 50 ms, so it is called again if it exports its main().
  if (program?.main === undefined) program = await import(`${cli}?line=${index}`);
  else process.exitCode = await program.main(words);
  outcomes.push({ status: process.exitCode, ...said });
}
process.exitCode = 0;
writeSync(3, JSON.stringify(outcomes));
