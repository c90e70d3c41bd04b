#!/usr/bin/env node
// The command `npx io-selectors`: `bench` or `regression`, then the options of the suite, as
// `npm run bench --` takes them in a clone.

import { createRequire } from "node:module";

const [, , part, ...rest] = process.argv;
const usage = `usage: npx io-selectors bench [command] [options]

  bench           measures six servers and writes a report below ./reports
  bench --help    the commands and options; each command has --help, too
  regression      whether a commit of your repository makes its server slower`;

if (part === "bench" || part === "regression") {
  const words = part === "bench" ? rest : [part, ...rest];
  process.argv.splice(2, process.argv.length, ...words);
  try {
    await import("../dist/bench/cli.js");
  } catch (error) {
    // No binary fits: the message says what to run.
    if (!error.message.startsWith("io-selectors: ")) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
} else if (part === "--version") {
  console.log(createRequire(import.meta.url)("../package.json").version);
} else if (["--help", "-h", "help"].includes(part)) {
  console.log(usage);
} else {
  const wrong = `io-selectors: unknown command "${part}"; one of: bench, regression\n`;
  console.error(part === undefined ? usage : wrong + usage);
  process.exitCode = 2;
}
