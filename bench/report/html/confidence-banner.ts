// How far to trust the page, in one line after the verdict; folded under it what was discarded,
// which cells are not ranked and why, and the machine.

import { cautionSentence } from "../caution-words.ts";
import type { ExcludedCells, Level } from "../cautions.ts";
import { count } from "../format.ts";
import {
  bullets,
  element,
  folding,
  join,
  type Markup,
  nothing,
  paragraph,
  text,
} from "../markup.ts";
import type { Report } from "../report.ts";
import { confidenceTitle, exclusionText, lowSentences, windowsSentence } from "../words.ts";
import { code, prose } from "./table.ts";

const levelMarks: Readonly<Record<Level, string>> = { sound: "✓", careful: "!", broken: "✕" };

export function confidenceBanner({ confidence, machine }: Report): Markup {
  const { level, cautions, exclusions } = confidence;
  const sentences = [
    windowsSentence(confidence),
    ...lowSentences(confidence),
    ...cautions.map(cautionSentence),
  ];
  const mark = element("span", { class: "mark", "aria-hidden": "true" }, text(levelMarks[level]));
  return element(
    "section",
    { id: "validity", class: `banner ${level}`, "aria-labelledby": "validity-heading" },
    folding(
      element("h2", { id: "validity-heading" }, mark, text(confidenceTitle(confidence))),
      {},
      bullets(sentences.map(prose)),
      exclusions.length === 0 ? nothing : exclusionList(exclusions),
      machine === "" ? nothing : paragraph("machine", text(`Measured on ${machine}.`)),
    ),
  );
}

/** As many as one reads; the rest folds. */
const shownExclusions = 6;

function exclusionList(exclusions: readonly ExcludedCells[]): Markup {
  const items = exclusions.map((exclusion) => {
    const { status, cells } = exclusion;
    const names = [...new Set(cells.map(({ contender }) => contender))];
    return join([
      element("strong", { class: `status ${status}` }, text(status)),
      " " as Markup,
      join(names.map(code), ", "),
      text(cells.length > names.length ? ` (${count(cells.length)} cells)` : ""),
      ": " as Markup,
      text(exclusionText(exclusion)),
    ]);
  });
  const rest = items.slice(shownExclusions);
  const folded = folding(text(`${count(rest.length)} more`), {}, bullets(rest));
  return element(
    "div",
    { class: "exclusions" },
    element("p", {}, text("Not ranked:")),
    bullets(items.slice(0, shownExclusions)),
    rest.length === 0 ? nothing : folded,
  );
}
