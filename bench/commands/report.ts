// report: a saved results.json in another form. Enters: a file. Leaves: the form asked for, on
// standard output, or all of them in a folder.

import { relative } from "node:path";
import { UsageError, word } from "../command-line.ts";
import type { Results } from "../model/results.ts";
import { renderCsv } from "../report/csv.ts";
import { renderHtml } from "../report/html/page.ts";
import { serializeResults } from "../report/json.ts";
import { renderMarkdown } from "../report/markdown.ts";
import { renderSaved } from "../report/write.ts";
import { type Command, print } from "./command.ts";
import { tableOf } from "./measuring.ts";
import { readResults } from "./saved.ts";

/** A form is a function of the results and one row here. */
const forms: Readonly<Record<string, (results: Results) => string>> = {
  terminal: tableOf,
  markdown: renderMarkdown,
  html: renderHtml,
  csv: renderCsv,
  json: serializeResults,
};

export const reportCommand: Command = {
  name: "report",
  summary: "a saved results.json as a table, Markdown, HTML or CSV",
  operands: "RESULTS.json",
  options: [
    { name: "out", value: "DIR", help: "writes every form there, charts too", read: word },
    { name: "form", value: "NAME", help: Object.keys(forms).join(", "), read: formName },
  ],
  examples: [
    ["npm run bench -- report reports/latest/results.json", "the table once more"],
    ["npm run -s bench -- report results.json --form html > report.html", "to send on"],
    ["npm run bench -- report results.json --out slides", "the page, Markdown, CSV, SVG charts"],
  ],
  execute: async ({ values, words }) => {
    const [file, ...more] = words;
    if (file === undefined || more.length > 0) {
      throw new UsageError("report takes one file: a results.json that a run has left");
    }
    const results = readResults(file);
    if (results === null) return 1;
    if (values["out"] !== null) {
      return print(relative(process.cwd(), renderSaved(file, String(values["out"])).pagePath));
    }
    const form = (values["form"] as string | null) ?? "terminal";
    const text = forms[form]?.(results) ?? "";
    return print(text.replace(/\n$/, ""));
  },
};

function formName(text: string, option: string): string {
  if (Object.hasOwn(forms, text)) return word(text);
  throw new UsageError(`${option}: "${text}" is none of ${Object.keys(forms).join(", ")}`);
}
