// The style sheet of report.html: two themes from one palette, from phone to wide screen, and for
// print. Text and marks keep WCAG's contrast; test/browser checks it in both themes.

import { darkTheme, lightTheme, type Theme } from "../svg/palette.ts";
import { pageChartRules } from "../svg/style.ts";
import { flameStyle } from "./flame.ts";

export function pageStyle(): string {
  const [light, dark] = [variables(lightTheme), variables(darkTheme)];
  return [
    `:root{color-scheme:light;${light}}`,
    `@media (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${dark}}}`,
    `:root[data-theme=dark]{color-scheme:dark;${dark}}`,
    // Paper is white, whatever the screen was.
    `@media print{:root,:root[data-theme],:root:not([data-theme=light]){${light}}}`,
    frame,
    content,
    tables,
    controls,
    flameStyle,
    wide,
    print,
    pageChartRules(),
  ].join("\n");
}

function variables(theme: Theme): string {
  return Object.entries(theme)
    .map(([name, value]) => `--${name}:${value}`)
    .join(";");
}

const mono = 'ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace';

const frame = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
body{margin:0;background:var(--page);color:var(--ink);
  font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;
  font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
header,.columns,footer{max-width:1240px;margin:0 auto;padding:0 1rem}
header{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:center;
  justify-content:space-between;padding-top:1.25rem}
.brand{margin:0;display:flex;flex-wrap:wrap;gap:.1rem 1rem;color:var(--muted);font-size:.9rem}
.brand strong{color:var(--ink)}
nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.15rem 1rem}
nav{margin:1rem 0 0;padding:.75rem 0;border-block:1px solid var(--line);font-size:.875rem}
nav a{display:inline-block;padding:.25rem 0;color:var(--muted);text-decoration:none}
nav a:hover{color:var(--ink);text-decoration:underline}
nav a[aria-current]{color:var(--ink);font-weight:600}
main{min-width:0;outline:none}
footer{margin-top:4rem;padding-block:1.5rem 5rem;color:var(--muted);font-size:.875rem}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-99rem;top:.5rem;padding:.5rem 1rem;background:var(--surface);
  z-index:3}
.skip:focus{left:1rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);
  white-space:nowrap}
code,pre{font-family:${mono};font-size:.92em}
h1 code,h2 code,h3 code{font-size:.9em;font-weight:inherit}`;

const content = `
.kicker{margin:2rem 0 .4rem;color:var(--muted)}
h1.verdict{font-size:clamp(1.3rem,1rem + 1.4vw,1.8rem);line-height:1.4;font-weight:600;
  letter-spacing:-.012em;margin:0 0 1.75rem;max-width:40em;text-wrap:pretty}
h1.verdict code{white-space:nowrap;overflow-wrap:normal;letter-spacing:-.03em}
main>section{margin-top:4rem}
main>section.banner{margin-top:1.75rem}
h2{font-size:1.4rem;line-height:1.3;letter-spacing:-.01em;margin:0 0 .5rem}
h3{font-size:1rem;line-height:1.4;font-weight:600;margin:0}
.lead{margin:0 0 1.25rem;max-width:68ch;color:var(--muted);text-wrap:pretty}
.tiles{display:grid;grid-template-columns:repeat(2,1fr);gap:1px;margin:0;background:var(--line);
  border:1px solid var(--line);border-radius:12px;overflow:hidden}
.tiles div{background:var(--surface);padding:.85rem 1.1rem;display:flex;
  flex-direction:column-reverse;justify-content:flex-end}
.tiles dt{color:var(--muted);font-size:.85rem;line-height:1.35}
.tiles dd{margin:0;font-size:1.35rem;line-height:1.25;font-weight:600;letter-spacing:-.02em}
.banner{border-radius:12px;padding:.6rem 1.25rem;border:1px solid;border-left-width:5px}
.banner h2{font-size:1.05rem;margin:0;display:inline-flex;gap:.6rem;align-items:center;
  max-width:calc(100% - 1.5rem);vertical-align:middle}
.banner summary{width:auto}
.part>summary h2{display:inline;margin:0}
section.closed{margin-top:1.25rem!important}
section:not(.closed)+section.closed{margin-top:4rem!important}
.why{margin:0;border-top:1px solid var(--line)}
.why>div{padding:.7rem 0;border-bottom:1px solid var(--line)}
.why dt{font-weight:600}
.why dt span{font-weight:400;color:var(--muted)}
.why dd{margin:.1rem 0 0;max-width:75ch}
.banner .mark{flex:none;width:1.5rem;height:1.5rem;border-radius:50%;display:grid;
  place-items:center;font-size:.85rem;color:var(--surface);background:var(--tone)}
.banner ul{margin:.25rem 0 0;padding-left:1.2rem}
.banner li{margin:.15rem 0}
.banner p{margin:.75rem 0 0}
.banner+.lead{margin-top:1rem}
.banner .machine{color:var(--muted);font-size:.9rem}
.banner.sound{--tone:var(--good);border-color:var(--good);background:var(--good-back)}
.banner.careful{--tone:var(--warn);border-color:var(--warn);background:var(--warn-back)}
.banner.broken{--tone:var(--bad);border-color:var(--bad);background:var(--bad-back)}
.exclusions{font-size:.925rem}
.exclusions>p{font-weight:600}
figure{margin:1rem 0 0;padding:1.1rem 1rem .9rem;background:var(--surface);
  border:1px solid var(--line);border-radius:12px}
figcaption{margin-bottom:.9rem}
figcaption p{margin:.1rem 0 0;font-size:.875rem;color:var(--muted)}
svg.chart{display:block;width:100%;height:auto;overflow:visible}
svg.wide{display:none}
svg.narrow{max-width:480px;margin-inline:auto}
svg.only{max-width:480px}
.missing{margin-top:.75rem;font-size:.875rem;color:var(--muted)}
.missing p{margin:0}
.missing ul{margin:.2rem 0 0;padding-left:1.2rem}
.missing code{color:var(--ink)}
.folded .folded{margin-left:1.1rem}
.folded .folded:last-child{border-bottom:0}
details>summary{cursor:pointer;width:fit-content;max-width:100%;padding:.3rem 0}
details.data{margin-top:.75rem;font-size:.9rem}
details.data>summary{color:var(--muted)}
details.folded{border-bottom:1px solid var(--line)}
details.folded>summary{padding:.55rem 0;width:auto}
details.folded[open]{padding-bottom:1.25rem}
details.folded>figure{margin-top:.25rem}
.fingerprint{color:var(--muted);font-size:.9rem}
.meanings div{display:grid;grid-template-columns:7.5rem 1fr;gap:.75rem;padding:.3rem 0}
.meanings dt{font-weight:600}
.meanings dd{margin:0;color:var(--muted)}
pre{margin:0;padding:1rem 1.1rem;background:var(--surface);border:1px solid var(--line);
  border-radius:12px;white-space:pre-wrap;overflow-x:auto}`;

const tables = `
.scroll{overflow-x:auto;max-width:100%;margin-top:.4rem}
figure+.scroll{margin-top:1.25rem}
.scroll>svg{min-width:44rem}
.raw .scroll{max-height:80vh;overflow-y:auto;isolation:isolate;
  border:1px solid var(--line);border-radius:8px;background:var(--surface)}
table{border-collapse:collapse;font-size:.85rem;line-height:1.4;overflow-wrap:normal}
th,td{padding:.35rem .9rem .35rem 0;text-align:left;vertical-align:baseline;white-space:nowrap;
  border-bottom:1px solid var(--line)}
.raw th,.raw td{padding-inline:.7rem}
th.n,td.n,td:has(data){text-align:right}
td small{color:var(--muted);font-size:.9em}
thead th{font-weight:600;color:var(--muted);vertical-align:bottom}
.raw thead th{position:sticky;top:0;background:var(--surface);box-shadow:0 1px var(--line)}
tbody th{font-weight:500}
.scroll table:not(.words) :is(tbody th,thead th:first-child){position:sticky;left:0;
  background:var(--page);box-shadow:1px 0 var(--line)}
:is(.raw .scroll,figure) table:not(.words) :is(tbody th,thead th:first-child){
  background:var(--surface)}
.raw .scroll thead th{z-index:1}
.raw .scroll table:not(.words) thead th:first-child{z-index:2;
  box-shadow:1px 0 var(--line),0 1px var(--line)}
td:empty::after{content:"\\00a0"}
table.words{width:100%}
table.words td,table.words th{white-space:normal;overflow-wrap:anywhere;vertical-align:top}
table.words tbody th{color:var(--muted);font-weight:400;min-width:8.5rem}
#claims table{min-width:44rem}
#claims tbody th{color:var(--ink)}
#claims td:nth-child(2){white-space:nowrap;font-weight:600}
th button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;
  text-align:inherit}
th[aria-sort=ascending] button::after{content:" ↑"}
th[aria-sort=descending] button::after{content:" ↓"}`;

const controls = `
#controls{display:flex;gap:.5rem;align-items:center}
#controls button,.copy,.chips button{font:inherit;font-size:.85rem;color:var(--ink);
  background:var(--surface);border:1px solid var(--line);border-radius:999px;padding:.3rem .85rem;
  cursor:pointer;min-height:2rem}
#controls button:hover,.copy:hover,.chips button:hover{border-color:var(--axis)}
.copy{margin-top:.6rem}
.chips{position:fixed;inset:auto 0 0;z-index:2;display:flex;gap:.4rem;align-items:center;
  padding:.5rem 1rem;overflow-x:auto;background:var(--page);border-top:1px solid var(--line);
  font-size:.85rem}
.chips span{color:var(--muted);flex:none}
.chips button{flex:none;display:flex;gap:.45rem;align-items:center}
.chips button[aria-pressed=false]{color:var(--muted);text-decoration:line-through}
.chips svg{width:14px;height:14px;overflow:visible}
.chips button[aria-pressed=false] svg{opacity:.35}
.off{opacity:.1}
tr.off{opacity:.45}
g[data-contender]:hover .hit{fill-opacity:.05}
#tip{position:fixed;z-index:4;pointer-events:none;max-width:min(22rem,calc(100vw - 1rem));
  padding:.4rem .65rem;border-radius:8px;background:var(--ink);color:var(--page);
  font-size:.82rem;line-height:1.4;box-shadow:0 4px 16px #0003}
#tip[hidden]{display:none}
.hit{fill:var(--ink)}`;

const wide = `
@media (min-width:760px){
  .tiles{grid-template-columns:repeat(4,1fr)}
  svg.wide{display:block}
  svg.narrow{display:none}
  figure{padding:1.4rem 1.6rem 1.1rem}
}
@media (min-width:1100px){
  .columns{display:grid;grid-template-columns:12.5rem minmax(0,1fr);gap:3rem}
  .columns.single{display:block}
  .side{position:sticky;top:0;align-self:start;max-height:100vh;overflow-y:auto;
    padding:2rem 4px 1rem}
  nav{border:0;margin:0;padding:0}
  nav ul{flex-direction:column;gap:0}
  .chips{position:static;flex-direction:column;align-items:flex-start;gap:0;margin-top:1.25rem;
    padding:1rem 0 0;overflow:visible}
  .chips span{padding-bottom:.25rem}
  .chips button{border:0;background:none;padding:.15rem 0;
    min-height:1.6rem;font-size:.8rem;border-radius:4px;
    text-align:left}
  .chips button:hover{text-decoration:underline}
  footer{padding-bottom:1.5rem}
}`;

const print = `
@media print{
  body{background:#fff;font-size:9.5pt;line-height:1.4}
  h1.verdict{font-size:11.5pt;margin-bottom:.5rem;max-width:none}
  .kicker{margin-top:.5rem}
  h2{font-size:12pt;margin:0}
  figure h3{font-size:9.5pt}
  figcaption p{font-size:8.5pt}
  .lead{margin-bottom:.4rem;max-width:none}
  .tiles{grid-template-columns:repeat(4,1fr)}
  .tiles div{padding:.4rem .6rem}
  .tiles dd{font-size:11pt}
  .tiles dt{font-size:7.5pt}
  details:not([open]).data{display:none}
  figcaption{margin-bottom:.3rem}
  figure{margin-top:.3rem}
  nav,#controls,.chips,.copy,.skip,#tip{display:none!important}
  header,.columns,footer{max-width:none;padding:0}
  .columns{display:block}
  figure,.banner,tr,.tiles,pre{break-inside:avoid}
  h2,h3,.lead{break-after:avoid}
  figure{border:0;padding:0}
  svg.wide{display:block}
  svg.narrow{display:none}
  svg.chart{max-height:23cm}
  details.folded{break-inside:avoid}
  details.folded:has(>figure){display:inline-block;width:48%;margin-right:1.5%;vertical-align:top}
  .scroll,.raw .scroll{overflow:visible;max-height:none}
  #claims table{min-width:0}
  .scroll table{font-size:6.5pt}
  .scroll th,.scroll td{white-space:normal;overflow-wrap:anywhere;padding:.15rem .3rem}
  main>section,main>section.banner{margin-top:.8rem}
  .banner{padding:.2rem .8rem}
}`;
