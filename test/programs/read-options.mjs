// Runs command lines of the benchmark's CLI in one process, given as JSON: read-options.mjs LINES.
// For lines that only read their options, such as those with --help: a process per line takes ten
// times as long. Writes the exit code and standard error of each, as JSON, to descriptor 3.

import { writeSync } from "node:fs";

const cli = new URL("../../dist/bench/cli.js", import.meta.url).href;
const outcomes = [];
let stderr = "";
process.stderr.write = (text) => {
  stderr += text;
  return true;
};
for (const [index, words] of JSON.parse(process.argv[2]).entries()) {
  process.argv.splice(2, process.argv.length, ...words);
  stderr = "";
  process.exitCode = undefined;
  await import(`${cli}?line=${index}`);
  outcomes.push({ status: process.exitCode, stderr });
}
process.exitCode = 0;
writeSync(3, JSON.stringify(outcomes));
