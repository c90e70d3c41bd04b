// The end of the report: how it was measured, on which machine, all figures, the command.

import type { Results } from "../../model/results.ts";
import { type RuntimeRow, runtimes } from "../../model/runtimes.ts";
import { rawTable } from "../charts/whole.ts";
import { count, enumerate, freeValue, plainLine, words } from "../format.ts";
import { machineBlocks, ownProperties } from "../machines.ts";
import {
  definition,
  element,
  folding,
  join,
  type Markup,
  nothing,
  paragraph,
  text,
} from "../markup.ts";
import { reproduceCommand } from "../reproduce.ts";
import { methodText, statusMeanings } from "../words.ts";
import { code, tableRegion } from "./table.ts";

export function methodPart(results: Results): Markup {
  const settings = Object.entries(results.settings).filter(([name]) => name !== "options");
  return join([
    paragraph("lead", text(methodText)),
    settings.length === 0
      ? nothing
      : folded(
          "Settings of all contenders; those named in them differ",
          properties("setting", settings),
        ),
    folded(
      "Status words",
      element("dl", { class: "meanings" }, ...statusMeanings.map((row) => definition(...row))),
    ),
    folded("How to read the marks", element("p", {}, text(marksText()))),
  ]);
}

function marksText(): string {
  const rows = Object.entries<RuntimeRow>(runtimes);
  const shapes = rows.map(([name, { title, shape }]) => `${shape}s are ${title} (${name})`);
  const engines = rows.filter(([, { engine }]) => engine !== null).map(([name]) => name);
  return (
    `Colours are strategies, shapes are runtimes: ${enumerate(shapes)}. Figures of ` +
    `${enumerate(engines)} include their engine, and their lines are dashed. Whiskers are 95 % ` +
    "intervals over blocks. An open mark or bar is not ranked; a hatched bar is a saturated " +
    "core; a ring marks the knee of a curve."
  );
}

export function environmentPart(results: Results): Markup {
  return join([
    paragraph("lead", text("Runs with equal fingerprints can be compared.")),
    folded("All of it", properties("property", ownProperties(results.environment))),
    ...machineBlocks(results.environment).map(({ title, entries }) =>
      folded(title, properties("property", entries)),
    ),
    paragraph(
      "fingerprint",
      join([text("Fingerprint "), code(results.environment.fingerprint)], " "),
    ),
  ]);
}

export function rawPart(results: Results): Markup {
  const lead =
    "Every cell, with medians over the valid blocks, and the 95 % intervals of its workload's " +
    "headline and of p99. All intervals, and the figures of each block, are in results.json.";
  return join([paragraph("lead", text(lead)), ...rawTables(results)]);
}

/** One closed table per workload, in the order of the results, with a column per metric. */
function rawTables(results: Results): Markup[] {
  const workloads = [...new Set(results.cells.map(({ workload }) => workload))];
  return workloads.map((workload) => {
    const cells = results.cells.filter((cell) => cell.workload === workload);
    const title = `${plainLine(workload)}: ${count(cells.length)} cells`;
    return folded(
      title,
      tableRegion(rawTable(cells), { caption: title, byContender: true }),
      "raw",
    );
  });
}

export function reproducePart(results: Results): Markup {
  const { commit, clean } = results.environment as { commit?: unknown; clean?: unknown };
  const state = clean === false ? ", with changes that were not committed" : "";
  const at = typeof commit === "string" ? ` At commit ${plainLine(commit)}${state}.` : "";
  return join([
    paragraph(
      "lead",
      text(`Seed ${results.seed}: the same seed gives the same order of blocks.${at}`),
    ),
    element("pre", { tabindex: "0", id: "command" }, code(reproduceCommand(results))),
  ]);
}

function folded(title: string, content: Markup, kind = ""): Markup {
  return folding(text(title), { class: `folded ${kind}`.trim() }, content);
}

function properties(title: string, entries: readonly (readonly [string, unknown])[]): Markup {
  const rows = entries.map(([name, value]) => ({
    name: words(name),
    values: [{ text: freeValue(name, value) }],
  }));
  return tableRegion({ columns: [title, "value"], rows }, { caption: title, words: true });
}
