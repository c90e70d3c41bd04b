// What the live page adds to the report's style sheet: charts two by two.

export const liveStyle = `
main.live{max-width:1240px;margin:0 auto;padding:0 1rem 3rem}
.live h1{font-size:clamp(1.15rem,1rem + .9vw,1.5rem);line-height:1.35;margin:1.25rem 0 .75rem;
  letter-spacing:-.01em;min-height:1.35em}
.live h2{font-size:1rem;margin:0}
.live section{margin-top:2.5rem}
.live section h2{font-size:1.15rem;margin-bottom:.5rem}
.far{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center}
.far progress{flex:1 1 16rem;height:.8rem;appearance:none;border:0;border-radius:.4rem;
  overflow:hidden;background:var(--line)}
.far progress::-webkit-progress-bar{background:var(--line)}
.far progress::-webkit-progress-value{background:var(--accent)}
.far progress::-moz-progress-bar{background:var(--accent)}
.far p{margin:0;color:var(--muted)}
#note{margin:.75rem 0 0;color:var(--warn)}
#note:empty{display:none}
.legend{list-style:none;margin:1.25rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;
  font-size:.875rem;color:var(--muted)}
.legend li{display:flex;gap:.4rem;align-items:center}
.legend li.now{color:var(--ink);font-weight:600}
.legend svg{width:14px;height:14px;overflow:visible}
.charts{display:grid;grid-template-columns:minmax(0,1fr);gap:1rem;margin-top:1.25rem}
.charts figure{margin:0}
.charts figcaption{display:grid;grid-template-columns:1fr auto;gap:0 1rem;margin-bottom:.5rem}
.charts figcaption p{grid-column:1;margin:0}
.charts output{grid-column:2;grid-row:1/3;font-size:1.5rem;font-weight:600;letter-spacing:-.02em;
  line-height:1.2;align-self:center}
svg.plot{display:block;width:100%;height:180px;overflow:visible}
svg.plot .trace{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
svg.plot .stem{stroke-width:1.25;fill:none}
#rounds,#standing{width:100%}
#standing tr.now th{font-weight:600}
#rounds td.bad{color:var(--bad);white-space:normal}
.plan{margin:.5rem 0 0;padding-left:1.2rem;color:var(--muted);font-size:.9rem}
@media (min-width:860px){.charts{grid-template-columns:repeat(2,minmax(0,1fr))}}`;
