// report: a saved results.json in another form.

import { option, UsageError, word } from "../command-line.ts";
import { formats, textFormats } from "../report/formats.ts";
import type { FormatName } from "../report/rendering.ts";
import { reportOf } from "../report/report.ts";
import { renderSaved } from "../report/write.ts";
import { type Command, exitUsage, print, readerExitLines } from "./command.ts";
import { shortPath, writableFolder, written } from "./files.ts";
import { terminalOf } from "./measuring.ts";
import { readResults } from "./saved.ts";

export const reportCommand: Command = {
  name: "report",
  summary: "renders a saved results.json as a table, Markdown, HTML or CSV",
  operands: "RESULTS.json",
  options: [
    option("out", "DIR", "writes every format there, with charts", word),
    { name: "form", value: "NAME", help: textFormats.join(", "), read: formName },
  ],
  examples: [
    ["npm run bench -- report reports/latest/results.json", "prints the table again"],
    ["npm run -s bench -- report results.json --form html > report.html", "to send on"],
    ["npm run bench -- report results.json --out slides", "the page, Markdown, CSV, SVG charts"],
  ],
  exits: readerExitLines,
  execute: async ({ values, words }) => {
    const [file, ...more] = words;
    if (file === undefined || more.length > 0) {
      throw new UsageError("report takes one file: the results.json of a run");
    }
    if (values["out"] !== null && values["form"] !== null) {
      throw new UsageError("report: --out writes every form; omit --form");
    }
    const results = readResults(file);
    if (results === null) return exitUsage;
    if (values["out"] !== null) {
      const out = writableFolder(String(values["out"]), "--out");
      return print(shortPath(written(out, () => renderSaved(file, out)).pagePath));
    }
    const form = (values["form"] as FormatName | null) ?? "terminal";
    const text = formats[form].text?.(reportOf(results), terminalOf(process.stdout)) ?? "";
    return print(text.endsWith("\n") ? text.slice(0, -1) : text);
  },
};

function formName(text: string, option: string): string {
  if (textFormats.some((name) => name === text)) return word(text);
  throw new UsageError(`${option}: "${text}" is not one of ${textFormats.join(", ")}`);
}
