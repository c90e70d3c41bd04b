// report.html: one file that needs nothing else, no network and no script. The verdict and the four
// figures that a choice depends on, then how far to trust them, the charts with their causes, and,
// folded, how it was measured. WHATWG HTML; WCAG 2.2 AA.

import type { Results } from "../../model/results.ts";
import { countedCells } from "../call-words.ts";
import type { Section } from "../charts/chart.ts";
import type { Tile } from "../decision.ts";
import { count, plainLine } from "../format.ts";
import {
  bullets,
  definition,
  element,
  folding,
  join,
  type Markup,
  nothing,
  paragraph,
  raw,
  text,
} from "../markup.ts";
import type { ReportFormat } from "../rendering.ts";
import type { Report } from "../report.ts";
import { point } from "../svg/marks.ts";
import { type ContenderMark, markIn } from "../svg/palette.ts";
import { environmentPart, methodPart, rawPart, reproducePart } from "./back-matter.ts";
import { callsPart } from "./calls.ts";
import { confidenceBanner } from "./confidence-banner.ts";
import { renderDocument } from "./document.ts";
import { figureOf, foldedFigure } from "./figure.ts";
import { profilesPart } from "./flame.ts";
import { pageScript } from "./scripts.ts";
import { prose, tableRegion } from "./table.ts";
import { whyList } from "./why.ts";

/** The whole page. */
export function renderHtml(report: Report): string {
  const { results } = report;
  const title = `io-selectors report: ${plainLine(results.profile)}, ${day(results.startedAt)}`;
  return renderDocument({ title, body: bodyOf(report), allows: ["script"] });
}

export const html: ReportFormat = {
  name: "html",
  text: renderHtml,
  files: (report) => new Map([["report.html", renderHtml(report)]]),
};

interface PagePart {
  readonly id: string;
  readonly title: string;
  readonly content: Markup;
  /** Whether it opens when it is asked for. */
  readonly folded?: boolean;
}

function bodyOf(report: Report): Markup {
  const { results, sections, headline, scale, tiles: decisive } = report;
  const parts: PagePart[] = [
    ...sections.map((section) => ({
      ...{ id: section.id, title: section.title, content: sectionContent(section, results) },
      folded: section.id === "timeline",
    })),
    ...backMatter(results),
    { id: "reproduce", title: "Measure it again", content: reproducePart(results) },
  ];
  return element(
    "body",
    {},
    element("a", { class: "skip", href: "#main" }, text("To the report")),
    pageHeader(report),
    element(
      "div",
      { class: "columns" },
      element("div", { class: "side" }, contents(parts)),
      element(
        "main",
        { id: "main", tabindex: "-1" },
        paragraph("kicker", text(scale)),
        element("h1", { class: "verdict" }, prose(headline)),
        tiles(decisive),
        confidenceBanner(report),
        ...parts.map(partOf),
      ),
    ),
    footer(results),
    raw("script", pageScript),
  );
}

/** What a sceptic asks after the charts. */
function backMatter(results: Results): PagePart[] {
  const parts = [
    { id: "method", title: "How it was measured", content: methodPart(results) },
    { id: "environment", title: "Environment", content: environmentPart(results) },
    { id: "raw", title: "All figures", content: rawPart(results) },
  ];
  return parts.map((part) => ({ ...part, folded: true }));
}

function pageHeader({ results, contenders }: Report): Markup {
  const when = `${day(results.startedAt)} ${results.startedAt.slice(11, 16)} UTC`;
  return element(
    "header",
    {},
    paragraph(
      "brand",
      element("strong", {}, text("io-selectors")),
      element("span", {}, text(`profile ${plainLine(results.profile)}`)),
      element("time", { datetime: results.startedAt }, text(when)),
    ),
    // The script fills it, and takes the chips from their template: without one they do nothing.
    element("div", { id: "controls" }),
    element(
      "template",
      { id: "chips" },
      ...contenders.map((name) => chip(name, markIn(results.cells, name))),
    ),
  );
}

/** A button that a contender is chosen with, with its mark as the charts have it. */
function chip(name: string, mark: ContenderMark): Markup {
  const box = { viewBox: "0 0 14 14", "aria-hidden": "true" };
  const picture = element("svg", box, point({ x: 7, y: 7 }, mark, "solid"));
  return element("button", { type: "button", "data-name": name }, picture, text(name));
}

function contents(parts: readonly PagePart[]): Markup {
  const links = parts.map(({ id, title }) => element("a", { href: `#${id}` }, text(title)));
  return element("nav", { "aria-label": "Contents" }, bullets(links));
}

/** The figures that a choice depends on. */
function tiles(rows: readonly Tile[]): Markup {
  const each = rows.map(({ figure, words }) => definition(words, figure));
  return element("dl", { class: "tiles" }, ...each);
}

function partOf({ id, title, content, folded = false }: PagePart): Markup {
  const heading = `${id}-heading`;
  const head = element("h2", { id: heading }, text(title));
  return element(
    "section",
    { id, "aria-labelledby": heading, class: folded ? "closed" : null },
    ...(folded ? [folding(head, { class: "part" }, content)] : [head, content]),
  );
}

function sectionContent(section: Section, results: Results): Markup {
  const { cpuProfiles = [] } = results;
  const { title, lead, charts, whole, why = [], summary, words = false, oneShown } = section;
  // Of the run itself and of lines there is one picture a question: they are shown at once.
  const shown = charts.filter(
    ({ spec }, index) =>
      summary === undefined && (index === 0 || (spec.kind !== "rows" && oneShown !== true)),
  );
  const others = charts.filter((chart) => !shown.includes(chart));
  const most = oneShown === true ? others.length : mostFolded;
  const folded = others.slice(0, most).map(foldedFigure);
  const counted = section.id === "why" ? countedCells(results) : [];
  const said = summary === undefined || summary.length === 0 ? text(lead) : prose(summary);
  return join([
    lead === "" ? nothing : paragraph("lead", said),
    why.length === 0 ? nothing : whyList(why),
    counted.length === 0 ? nothing : callsPart(counted),
    section.id !== "why" || cpuProfiles.length === 0 ? nothing : profilesPart(cpuProfiles),
    ...shown.map(figureOf),
    ...folded,
    others.length > most ? elsewhere(others.length - most) : nothing,
    whole === undefined
      ? nothing
      : tableRegion(whole, { caption: `${title}: everything`, byContender: !words, words }),
  ]);
}

/** A page with every scale of every workload drawn would be too large to send. */
const mostFolded = 2;

function elsewhere(number: number): Markup {
  return paragraph(
    "missing",
    text(`${count(number)} more ${number === 1 ? "is" : "are"} not drawn; the figures are in `),
    element("a", { href: "#raw" }, text("All figures")),
    text("."),
  );
}

function footer({ startedAt, finishedAt, seed }: Results): Markup {
  const seconds = Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
  const words =
    `Seed ${seed}. Measured in ${count(Math.floor(seconds / 60))} min ${seconds % 60} s. ` +
    "This page loads nothing.";
  return element("footer", {}, element("p", {}, text(words)));
}

function day(time: string): string {
  return time.slice(0, 10);
}
