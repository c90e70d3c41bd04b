// Publishes what tallies of the gate came to:
//
//   node --import ./test/typescript.mjs test/regression/publish.ts FOLDER
//
// FOLDER holds the files of --resume, such as http-silent.jsonl.
// Without FOLDER only the page is written.

import { readFileSync, writeFileSync } from "node:fs";
import { page, pageWithRates, publishFrom } from "./published.ts";

const [folder] = process.argv.slice(2);
if (folder !== undefined) publishFrom(folder);
writeFileSync(page, pageWithRates(readFileSync(page, "utf8")));
