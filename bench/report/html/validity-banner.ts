// The banner after the verdict: how far to trust the page, what was dropped, who is not ranked and
// why, and on what machine. Enters: Results. Leaves: Markup.

import type { Results } from "../../model/results.ts";
import { count } from "../format.ts";
import { machineSentence } from "../headline.ts";
import { element, join, type Markup, nothing, text } from "../markup.ts";
import { type ExcludedContenders, type Level, validityOf } from "../validity.ts";
import { code, prose } from "./table.ts";

const marks: Readonly<Record<Level, string>> = { sound: "✓", careful: "!", broken: "✕" };

export function validityBanner(results: Results): Markup {
  const { level, title, sentences, exclusions } = validityOf(results);
  const names = [...new Set(results.cells.map(({ contender }) => contender))];
  const machine = machineSentence(results);
  return element(
    "section",
    { id: "validity", class: `banner ${level}`, "aria-labelledby": "validity-heading" },
    element(
      "h2",
      { id: "validity-heading" },
      element("span", { class: "mark", "aria-hidden": "true" }, text(marks[level])),
      text(title),
    ),
    element("ul", {}, ...sentences.map((one) => element("li", {}, prose(one, names)))),
    exclusions.length === 0 ? nothing : exclusionList(exclusions),
    machine === "" ? nothing : element("p", { class: "machine" }, text(`Measured on ${machine}.`)),
  );
}

/** As many as one reads; the rest folds. */
const shownExclusions = 6;

function exclusionList(exclusions: readonly ExcludedContenders[]): Markup {
  const items = exclusions.map(({ status, contenders, reason, cells }) =>
    element(
      "li",
      {},
      element("strong", { class: `status ${status}` }, text(status)),
      " " as Markup,
      join(contenders.map(code), ", "),
      text(cells > contenders.length ? ` (${count(cells)} cells)` : ""),
      ": " as Markup,
      text(reason),
    ),
  );
  const rest = items.slice(shownExclusions);
  const folded = element(
    "details",
    {},
    element("summary", {}, text(`${count(rest.length)} more`)),
    element("ul", {}, ...rest),
  );
  return element(
    "div",
    { class: "exclusions" },
    element("p", {}, text("Not ranked:")),
    element("ul", {}, ...items.slice(0, shownExclusions)),
    rest.length === 0 ? nothing : folded,
  );
}
