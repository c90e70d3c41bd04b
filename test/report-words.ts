// The report's words from invented results, as readers see them: for the tests of bench/report.

import type { Results } from "../bench/model/results.ts";
import { cautionSentence } from "../bench/report/caution-words.ts";
import { type Caution, cautionsOf, confidenceOf } from "../bench/report/cautions.ts";
import * as csv from "../bench/report/csv.ts";
import { type Group, groupCells, headlineGroup as openingOf } from "../bench/report/groups.ts";
import * as html from "../bench/report/html/page.ts";
import * as markdown from "../bench/report/markdown.ts";
import type { TerminalOptions } from "../bench/report/rendering.ts";
import { reportOf } from "../bench/report/report.ts";
import { plain } from "../bench/report/sentence.ts";
import * as terminal from "../bench/report/terminal.ts";
import * as verdicts from "../bench/report/verdict-words.ts";
import * as words from "../bench/report/words.ts";

export const renderTerminal = (results: Results, options: TerminalOptions) =>
  terminal.renderTerminal(reportOf(results), options);
export const renderMarkdown = (results: Results) => markdown.renderMarkdown(reportOf(results));
export const renderHtml = (results: Results) => html.renderHtml(reportOf(results));
export const renderCsv = (results: Results) => csv.renderCsv(reportOf(results));

export const verdict = (group: Group, reference: string) =>
  verdicts.verdictOf(group, reference).map(plain);
const sentenceOf = (caution: Caution) => plain(cautionSentence(caution));
export const cautions = (group: Group, results: Results) =>
  cautionsOf(group, results).map(sentenceOf);
export const headlineGroup = (results: Results) => openingOf(groupCells(results));
export const headline = (results: Results) => plain(reportOf(results).headline);
export const machineSentence = (results: Results) => words.machineText(results);

export function validityOf(results: Results) {
  const confidence = confidenceOf(results, headlineGroup(results));
  return {
    level: confidence.level,
    title: words.confidenceTitle(confidence),
    sentences: [plain(words.windowsSentence(confidence)), ...confidence.cautions.map(sentenceOf)],
    exclusions: confidence.exclusions.map((exclusion) => ({
      status: exclusion.status,
      contenders: [...new Set(exclusion.cells.map(({ contender }) => contender))],
      reason: words.exclusionText(exclusion),
      cells: exclusion.cells.length,
    })),
  };
}
