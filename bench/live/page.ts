// The live page: one file with its style and script, which connects to this server only. Its charts
// are empty frames that the script fills; its text says which figures are live and which come once
// per round. Pure.
// WHATWG HTML; WCAG 2.2 AA.

import type { LiveChartName } from "../model/live.ts";
import { renderDocument } from "../report/html/document.ts";
import { liveScript } from "../report/html/scripts.ts";
import { bullets, element, join, type Markup, paragraph, raw, text } from "../report/markup.ts";
import { point } from "../report/svg/marks.ts";
import { markOf } from "../report/svg/palette.ts";
import type { Plan } from "../run/plan.ts";
import { describePlan } from "../run/plan-words.ts";
import { liveStyle } from "./style.ts";

export function renderLivePage(plan: Plan): string {
  return renderDocument({
    title: `io-selectors: ${plan.profile}, running`,
    body: bodyOf(plan),
    style: liveStyle,
    allows: ["script", "server"],
  });
}

function bodyOf(plan: Plan): Markup {
  return element(
    "body",
    {},
    element(
      "header",
      {},
      paragraph(
        "brand",
        element("strong", {}, text("io-selectors")),
        element("span", {}, text(`profile ${plan.profile}, running`)),
      ),
    ),
    element(
      "main",
      { class: "live" },
      element("h1", { id: "doing" }, text("Starting")),
      progressPart(),
      element("p", { id: "note", role: "status" }),
      legend(plan),
      element("div", { class: "charts" }, ...charts.map(chartFigure)),
      tablePart({
        id: "standing",
        title: "All contenders so far",
        heads: [...liveHeads, "windows discarded"],
        rows: plan.contenders.map(({ name }) => name),
      }),
      tablePart({
        id: "rounds",
        title: "The last rounds",
        heads: ["contender", "scenario", "block", ...liveHeads.slice(3)],
        rows: [],
      }),
      honesty(plan),
    ),
    raw("script", liveScript),
  );
}

function progressPart(): Markup {
  return element(
    "div",
    { class: "far" },
    element("progress", { id: "progress", max: 1, value: 0, "aria-label": "rounds done" }),
    element("p", { id: "time" }, text("Waiting for the run.")),
  );
}

/** Every contender's mark; the script takes the shapes of its points from here. */
function legend({ contenders }: Plan): Markup {
  const items = contenders.map((contender) => {
    const mark = markOf({ ...contender, contender: contender.name });
    return element(
      "li",
      { "data-name": contender.name, "data-colour": mark.colour },
      element(
        "svg",
        { viewBox: "-7 -7 14 14", "aria-hidden": "true" },
        point({ x: 0, y: 0 }, mark, "solid"),
      ),
      element("code", {}, text(contender.name)),
    );
  });
  return element("ul", { class: "legend", "aria-label": "Contenders" }, ...items);
}

interface LiveChart {
  readonly id: LiveChartName;
  readonly title: string;
  readonly when: string;
}

const lastMinute = "live, the last minute; the figure adds up all that run";

const charts: readonly LiveChart[] = [
  { id: "cpu", title: "CPU of each server, % of a core", when: lastMinute },
  { id: "memory", title: "Memory of each server, resident", when: lastMinute },
  { id: "throughput", title: "Messages per second", when: "a point per round, when it has ended" },
  { id: "latency", title: "Latency, p50 to p99", when: "a mark per round at its p99" },
];

function chartFigure({ id, title, when }: LiveChart): Markup {
  return element(
    "figure",
    { id },
    element(
      "figcaption",
      {},
      element("h2", {}, text(title)),
      element("p", {}, text(when)),
      element("output", { id: `${id}-now`, for: id, "aria-live": "off" }, text("–")),
    ),
    element("svg", { class: "plot", role: "img", "aria-label": `${title}: nothing yet` }),
  );
}

const liveHeads = [
  "contender",
  "scenario",
  "rounds",
  "messages/s",
  "CPU per message",
  "p50",
  "p99",
];

interface LiveTable {
  readonly id: string;
  readonly title: string;
  readonly heads: readonly string[];
  /** Contenders that have a row from the start; the script fills it. */
  readonly rows: readonly string[];
}

function tablePart({ id, title, heads, rows }: LiveTable): Markup {
  const heading = `${id}-heading`;
  const cells = heads.map((head, index) =>
    element("th", { scope: "col", class: index > 2 ? "n" : null }, text(head)),
  );
  const lines = rows.map((name) => {
    const fields = heads
      .slice(1)
      .map((_, index) => element("td", { class: index > 1 ? "n" : null }, text("–")));
    return element(
      "tr",
      { "data-name": name },
      element("th", { scope: "row" }, text(name)),
      ...fields,
    );
  });
  return element(
    "section",
    { "aria-labelledby": heading },
    element("h2", { id: heading }, text(title)),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": heading },
      element(
        "table",
        { id },
        element("thead", {}, element("tr", {}, ...cells)),
        element("tbody", {}, ...lines),
      ),
    ),
  );
}

function honesty(plan: Plan): Markup {
  const sentences = [
    "CPU and memory are read from outside the servers: four times per second if one runs, about " +
      "once per second if several run and the load turns from one to the next. Throughput, " +
      "latency and CPU per message follow when a round has ended, because the load generator " +
      "writes nothing while it measures. Rounds are shown before any window is discarded; the " +
      "final figures are in the report that follows.",
    "This page shares the CPUs with the servers. Windows that it disturbs are discarded like any " +
      "others. For figures to publish, run without --live.",
  ];
  return element(
    "section",
    { "aria-labelledby": "about-heading" },
    element("h2", { id: "about-heading" }, text("What you see")),
    join(sentences.map((sentence) => paragraph("lead", text(sentence)))),
    bullets(describePlan(plan).map(text), { class: "plan" }),
  );
}
