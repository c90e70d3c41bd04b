// The report as data, selected and ordered once. A format only words and lays it out.

import type { Cell, Results } from "../model/results.ts";
import { type Why, whyOf } from "./causes.ts";
import { type Caution, type Confidence, cautionsOf, confidenceOf } from "./cautions.ts";
import type { Section } from "./charts/chart.ts";
import { sectionsOf } from "./charts/sections.ts";
import { type Tile, tilesOf } from "./decision.ts";
import { type Group, groupCells, headlineGroup, isUntouched } from "./groups.ts";
import { kneeSentences } from "./knee.ts";
import { joined, type Sentence } from "./sentence.ts";
import { headlineOf, verdictOf } from "./verdict-words.ts";
import { integrityText, machineText } from "./words.ts";

/** The cells of one workload at one scale, with what they say. */
export interface GroupReport extends Group {
  readonly verdict: readonly Sentence[];
  readonly integrity: string;
  readonly cautions: readonly Caution[];
}

export interface Report {
  readonly results: Results;
  /** The verdict in at most three sentences, and as one; the scale is empty without a figure. */
  readonly sentences: readonly Sentence[];
  readonly headline: Sentence;
  readonly scale: string;
  readonly scaleTitle: string;
  readonly confidence: Confidence;
  /** At most four figures that a choice depends on. */
  readonly tiles: readonly Tile[];
  /** Why each contender of the first scale costs what it costs. */
  readonly why: readonly Why[];
  /** What it was measured on; empty if that is not known. */
  readonly machine: string;
  readonly contenders: readonly string[];
  /** In the order of the results; `opening` is the one that the verdict is about. */
  readonly groups: readonly GroupReport[];
  readonly opening: GroupReport | undefined;
  /** Groups that an interrupted run did not reach. */
  readonly untouched: readonly Group[];
  readonly sections: readonly Section[];
}

export function reportOf(results: Results): Report {
  const all = groupCells(results);
  const untouched = all.filter((group) => isUntouched(group, results));
  const touched = all.filter((group) => !untouched.includes(group));
  const opening = headlineGroup(touched.length > 0 ? touched : all);
  const loads = opening?.measured.some(isShare) ? kneeSentences(results.cells) : [];
  const sentences = [...headlineOf(opening, results), ...loads];
  const lastShare = touched.findLast(({ measured }) => measured.some(isShare));
  const groups = touched.map((group) => ({
    ...group,
    verdict: [
      ...verdictOf(group, results.reference),
      ...(group === lastShare ? kneeSentences(results.cells) : []),
    ],
    integrity: integrityText(group),
    cautions: cautionsOf(group, results),
  }));
  return {
    results,
    sentences,
    headline: joined(sentences, " "),
    scale: opening?.scale ?? "",
    scaleTitle: opening?.title ?? "",
    confidence: confidenceOf(results, opening),
    tiles: opening === undefined ? [] : tilesOf(all, opening, results),
    why: whyOf(opening),
    machine: machineText(results),
    contenders: contendersOf(results),
    groups,
    opening: groups.find(({ title }) => title === opening?.title),
    untouched,
    sections: sectionsOf(results),
  };
}

function isShare({ capacityPercent }: Cell): boolean {
  return capacityPercent !== undefined;
}

/** The reference first. */
function contendersOf({ cells, reference }: Results): string[] {
  const names = new Set(cells.map(({ contender }) => contender));
  return [...new Set([reference, ...names])].filter((name) => names.has(name));
}
