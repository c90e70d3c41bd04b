// What a sceptic asks after the charts: how it was measured, on what, all figures, and how to
// measure it again. Enters: Results. Leaves: Markup.

import type { Results } from "../../model/results.ts";
import { freeValue, plainLine, words } from "../format.ts";
import { reproduceCommand } from "../markdown.ts";
import { element, join, type Markup, nothing, text } from "../markup.ts";
import { statusMeanings } from "../verdict.ts";
import { rawTables } from "./raw-tables.ts";
import { tableRegion } from "./table.ts";

export function methodPart(results: Results): Markup {
  const settings = Object.entries(results.settings).filter(([name]) => name !== "options");
  return join([
    element(
      "p",
      { class: "lead" },
      text(
        "Each contender is a process of its own, measured from outside, with the load generator " +
          "on another CPU where there is one. Blocks run all contenders in a seeded order; the " +
          "ratio is taken to the reference within the block, and the figures are medians over " +
          "blocks with a 95 % bootstrap interval. Whoever is not told apart from the reference " +
          "is a tie, and is not ranked.",
      ),
    ),
    settings.length === 0
      ? nothing
      : folded(
          "Settings, equal for all that are not named in them",
          properties("setting", settings),
        ),
    folded(
      "Status words",
      element(
        "dl",
        { class: "meanings" },
        ...statusMeanings.map(([word, meaning]) =>
          element("div", {}, element("dt", {}, text(word)), element("dd", {}, text(meaning))),
        ),
      ),
    ),
    folded("How to read the marks", element("p", {}, text(marksText))),
  ]);
}

const marksText =
  "Colours are strategies, shapes are runtimes: circles are native servers (cpp:), diamonds are " +
  "this library's (ts:), squares are Node's own; both of the latter include a JavaScript " +
  "runtime, and have dashed lines. Whiskers are 95 % intervals over blocks. An open mark is a " +
  "tie with the reference, or not ranked.";

export function environmentPart(results: Results): Markup {
  return join([
    element("p", { class: "lead" }, text("Figures compare between runs of equal fingerprint.")),
    folded("All of it", properties("property", Object.entries(results.environment))),
    element(
      "p",
      { class: "fingerprint" },
      text("Fingerprint "),
      " " as Markup,
      element("code", {}, text(results.environment.fingerprint)),
    ),
  ]);
}

export function rawPart(results: Results): Markup {
  const lead =
    "Every cell, with medians over the blocks that count, and the 95 % interval of what its " +
    "workload is about. All intervals, and what each block gave, are in results.json.";
  return join([element("p", { class: "lead" }, text(lead)), ...rawTables(results)]);
}

export function reproducePart(results: Results): Markup {
  const { commit, clean } = results.environment as { commit?: unknown; clean?: unknown };
  const state = clean === false ? ", with changes that were not committed" : "";
  const at = typeof commit === "string" ? ` At commit ${plainLine(commit)}${state}.` : "";
  return join([
    element(
      "p",
      { class: "lead" },
      text(`Seed ${results.seed}: the same seed gives the same order of blocks.${at}`),
    ),
    element(
      "pre",
      { tabindex: "0", id: "command" },
      element("code", {}, text(reproduceCommand(results))),
    ),
  ]);
}

function folded(title: string, content: Markup): Markup {
  return element("details", { class: "folded" }, element("summary", {}, text(title)), content);
}

function properties(title: string, entries: readonly (readonly [string, unknown])[]): Markup {
  const rows = entries.map(([name, value]) => ({
    name: words(name),
    values: [{ text: freeValue(name, value) }],
  }));
  return tableRegion({ columns: [title, "value"], rows }, { caption: title, words: true });
}
