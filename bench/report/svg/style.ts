// The style sheet of the charts: one rule per class and no nesting. A file on its own uses no
// variables either, so that slide programs can display it.

import { markColours, type Theme } from "./palette.ts";

/** Rules that take their colours from CSS variables, for a page with two themes. */
export function pageChartRules(): string {
  // A halo keeps names readable over lines; slide programs would paint it over the text.
  const halo = "paint-order:stroke;stroke:var(--surface);stroke-width:4px;stroke-linejoin:round";
  return `${rules((name) => `var(--${name})`)}\n.t-name,.t-strong,.t-value,.t-axis{${halo}}`;
}

/** Rules with the colours of one theme written out, for a file of its own. */
export function fileChartRules(theme: Theme): string {
  return rules((name) => theme[name] ?? "#000000");
}

/** What all text of a chart is set in; widths are estimated in marks.ts. */
const chartFonts =
  'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif';

function rules(colour: (name: string) => string): string {
  const text = `font-family:${chartFonts};font-variant-numeric:tabular-nums`;
  return [
    `.t-name{${text};font-size:13px;fill:${colour("ink")}}`,
    `.t-strong{${text};font-size:13px;font-weight:600;fill:${colour("ink")}}`,
    `.t-value{${text};font-size:12px;fill:${colour("muted")}}`,
    `.t-tick{${text};font-size:11.5px;fill:${colour("muted")}}`,
    `.t-axis{${text};font-size:12px;fill:${colour("muted")}}`,
    `.t-head{${text};font-size:15px;font-weight:600;fill:${colour("ink")}}`,
    `.grid{stroke:${colour("line")};stroke-width:1;fill:none}`,
    `.axis{stroke:${colour("axis")};stroke-width:1;fill:none}`,
    `.base{stroke:${colour("ink")};stroke-width:1.25;stroke-dasharray:5 4;fill:none}`,
    `.leader{stroke:${colour("axis")};stroke-width:.75;fill:none}`,
    `.back{fill:${colour("surface")}}`,
    ".w{stroke-width:2.25;fill:none;stroke-linecap:round}",
    ".w-thin{stroke-width:1.25;fill:none;stroke-linecap:round}",
    ".w-bar{stroke-width:1.25}",
    ".curve{stroke-width:2;fill:none;stroke-linejoin:round}",
    ".soft{stroke-dasharray:6 4}",
    ".open{stroke-width:2}",
    ".hatch{stroke-width:2;fill:none}",
    ".hit{fill-opacity:0}",
    ".light{fill-opacity:.42}",
    `.f-surface{fill:${colour("surface")}}`,
    `.s-surface{stroke:${colour("surface")}}`,
    `.f-muted{fill:${colour("muted")}}`,
    `.s-muted{stroke:${colour("muted")}}`,
    `.s-bad{stroke:${colour("bad")}}`,
    ...markColours.map((name) => `.f-${name}{fill:${colour(name)}}`),
    ...markColours.map((name) => `.s-${name}{stroke:${colour(name)}}`),
  ].join("\n");
}
