// compare: two saved results.json. It gates only if both are of the same machine.

import { resolve, sep } from "node:path";
import { flag, option, UsageError } from "../command-line.ts";
import { annotations } from "../gate/annotations.ts";
import { serializeGate } from "../gate/json.ts";
import { renderGateMarkdown } from "../gate/markdown.ts";
import type { GateResult } from "../gate/result.ts";
import { compareSaved, type Saved } from "../gate/saved.ts";
import { renderComparison } from "../gate/terminal.ts";
import { exitCodeOf } from "../gate/words.ts";
import { widthOf } from "../host/output.ts";
import { type Command, exitUsage, print } from "./command.ts";
import { advisory, asked, decidingExitLines, notCompared, refuseMixed } from "./deciding.ts";
import { readResults } from "./saved.ts";

export const compareCommand: Command = {
  name: "compare",
  summary: "shows whether the second of two saved results is slower than the first",
  operands: "BASE.json HEAD.json",
  options: [
    option("gate", "A,B", `metrics that also decide: ${advisory.join(", ")}`, asked),
    flag("all", "every figure, not only the changed ones"),
    flag("annotate", "GitHub annotations on the deciding cells"),
    flag("markdown", "Markdown instead of the table"),
    flag("json", "JSON instead of the table"),
  ],
  examples: [["npm run bench -- compare old/results.json new/results.json", "of the same machine"]],
  exits: decidingExitLines,
  execute: async (given) => {
    refuseMixed(given);
    const { values, words } = given;
    const [baseFile, headFile, ...more] = words;
    if (baseFile === undefined || headFile === undefined || more.length > 0) {
      throw new UsageError("compare takes two files: the results.json of base and of head");
    }
    const [baseName = "", headName = ""] = shortNames([baseFile, headFile]);
    const base = readSaved(baseFile, baseName);
    const head = base === null ? null : readSaved(headFile, headName);
    if (base === null || head === null) return exitUsage;
    try {
      const gates = (values["gate"] as readonly string[] | null) ?? [];
      const result = compareSaved(base, head, gates);
      print(formOf(values)(result));
      if (values["annotate"] === true) for (const line of annotations(result)) print(line);
      return exitCodeOf(result);
    } catch (error) {
      return notCompared(error);
    }
  },
};

function readSaved(file: string, name: string): Saved | null {
  const results = readResults(file);
  return results === null ? null : { results, name };
}

/** Without the folders that they have in common: every run's file is called results.json. */
function shortNames(files: readonly string[]): string[] {
  const parts = files.map((file) => resolve(file).split(sep));
  const [first = []] = parts;
  const differs = first.findIndex((part, at) => parts.some((other) => other[at] !== part));
  const from = differs < 0 ? -1 : differs;
  return parts.map((part) => part.slice(from).join("/"));
}

function formOf(values: Readonly<Record<string, unknown>>): (result: GateResult) => string {
  if (values["json"] === true && values["markdown"] === true) {
    throw new UsageError("compare: --json and --markdown exclude one another: give one");
  }
  if (values["json"] === true) return (result) => serializeGate(result).trimEnd();
  if (values["markdown"] === true) return renderGateMarkdown;
  const width = widthOf(process.stdout);
  return (result) => renderComparison(result, { width, all: values["all"] === true });
}
