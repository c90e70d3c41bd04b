// What the live page does: listens to the run, draws four charts, goes to the report at the end. A
// program in a string, because the page is one file; strict, no globals, asks only this server.
// Leaves: to page.ts.

export const liveScript = `
"use strict";
(() => {
const byId = (id) => document.getElementById(id);
const marks = new Map();
for (const item of document.querySelectorAll(".legend li")) {
  marks.set(item.dataset.name, { item, colour: item.dataset.colour,
    path: item.querySelector("path").cloneNode() });
}
const samples = [];
const rounds = [];
const spanSeconds = 60;
const leastSeconds = 15;
let ended = false;

const three = (value) => value >= 1000 ? Math.round(value).toLocaleString("en-US")
  : String(Number(value.toPrecision(3)));
const format = {
  cpu: (value) => (value < 10 ? value.toFixed(1) : Math.round(value)) + " %",
  memory: (value) => {
    const [size, unit] = value >= 2 ** 30 ? [value / 2 ** 30, " GiB"] : [value / 2 ** 20, " MiB"];
    return three(size) + unit;
  },
  throughput: (value) => value >= 1e6 ? three(value / 1e6) + "M"
    : value >= 1e4 ? three(value / 1e3) + "k" : three(value),
  latency: (value) => value >= 1e6 ? three(value / 1e6) + " s"
    : value >= 1e3 ? three(value / 1e3) + " ms" : three(value) + " µs",
};

const svgElement = (name, attributes, text) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
};

// A round number at or above: 1, 2 or 5 times a power of the base.
const roundUp = (value, unit) => {
  const size = Math.max(value / unit, 1e-9);
  const power = 10 ** Math.floor(Math.log10(size));
  return unit * power * [1, 2, 5, 10].find((step) => step * power >= size);
};

// A frame with its lines and numbers; gives back how to place a point.
const frame = (id, { from, to, low, high, log }) => {
  const svg = document.querySelector("#" + id + " svg");
  const width = svg.clientWidth || 400;
  const height = svg.clientHeight || 180;
  svg.setAttribute("viewBox", "0 0 " + width + " " + height);
  const [left, right, top, bottom] = [58, width - 8, 8, height - 22];
  const share = (value) => log
    ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  const x = (at) => left + (right - left) * (at - from) / (to - from);
  const y = (value) => bottom - (bottom - top) * Math.min(1, Math.max(0, share(value)));
  const ticks = [];
  if (log) for (let tick = low; tick <= high * 1.001; tick *= 10) ticks.push(tick);
  else for (const part of [0, 0.5, 1]) ticks.push(low + part * (high - low));
  const nodes = ticks.flatMap((tick) => [
    svgElement("path", { class: "grid", d: "M" + left + " " + y(tick) + "H" + right }),
    svgElement("text", { class: "t-tick", x: left - 8, y: y(tick) + 4, "text-anchor": "end" },
      format[id](tick)),
  ]);
  const clock = (at) => Math.floor(Math.max(0, at) / 60) + ":"
    + String(Math.floor(Math.max(0, at) % 60)).padStart(2, "0");
  nodes.push(
    svgElement("text", { class: "t-tick", x: left, y: height - 4 }, clock(from)),
    svgElement("text", { class: "t-tick", x: right, y: height - 4, "text-anchor": "end" },
      clock(to)));
  return { svg, nodes, x, y };
};

const describe = (id, svg, words) => {
  byId(id + "-now").textContent = words;
  const title = document.querySelector("#" + id + " h2").textContent;
  svg.setAttribute("aria-label", title + ": " + words);
};

// A line for each server in turn, in its colour; it breaks where nothing was told.
const drawTrace = (id, now, least) => {
  const from = Math.max(0, now - spanSeconds);
  const seen = samples.filter((sample) => sample.at >= from);
  const values = seen.map((sample) => sample[id]).filter((value) => value !== null);
  const unit = id === "memory" ? 2 ** 20 : 1;
  const high = roundUp(Math.max(least, ...values), unit);
  const to = Math.max(from + leastSeconds, now);
  const { svg, nodes, x, y } = frame(id, { from, to, low: 0, high });
  let path = "";
  let last = null;
  const finish = () => {
    const colour = marks.get(last?.contender)?.colour ?? "muted";
    // A lone point has no length of its own.
    const d = path + "h.1";
    if (path !== "") nodes.push(svgElement("path", { class: "trace s-" + colour, d }));
    path = "";
  };
  for (const sample of seen) {
    const value = sample[id];
    const other = sample.contender !== last?.contender;
    const broken = value === null || other || sample.at - last.at > 1;
    if (broken) finish();
    if (value !== null) {
      path += (path === "" ? "M" : "L") + x(sample.at).toFixed(1) + " " + y(value).toFixed(1);
    }
    last = sample;
  }
  finish();
  svg.replaceChildren(...nodes);
  const current = seen.at(-1)?.[id];
  describe(id, svg, current === null || current === undefined ? "–" : format[id](current));
};

const place = (nodes, contender, at, value) => {
  const mark = marks.get(contender)?.path.cloneNode();
  if (mark === undefined) return;
  mark.setAttribute("transform", "translate(" + at.toFixed(1) + " " + value.toFixed(1) + ")");
  nodes.push(mark);
};

const drawRounds = (now) => {
  const to = Math.max(leastSeconds, now);
  const rates = rounds.filter(({ throughput }) => throughput !== null);
  const most = roundUp(Math.max(10, ...rates.map(({ throughput }) => throughput)), 1);
  const above = frame("throughput", { from: 0, to, low: 0, high: most });
  for (const round of rates) {
    place(above.nodes, round.contender, above.x(round.at), above.y(round.throughput));
  }
  above.svg.replaceChildren(...above.nodes);
  const rate = rates.at(-1);
  describe("throughput", above.svg, rate === undefined ? "–" : format.throughput(rate.throughput));

  const timed = rounds.filter(({ p50, p99 }) => p50 !== null && p99 !== null);
  const low = 10 ** Math.floor(Math.log10(Math.min(100, ...timed.map(({ p50 }) => p50))));
  const high = 10 ** Math.ceil(Math.log10(Math.max(1000, ...timed.map(({ p99 }) => p99))));
  const below = frame("latency", { from: 0, to, low, high, log: true });
  for (const round of timed) {
    const at = below.x(round.at);
    const colour = marks.get(round.contender)?.colour ?? "muted";
    const d = "M" + at.toFixed(1) + " " + below.y(round.p50).toFixed(1)
      + "V" + below.y(round.p99).toFixed(1);
    below.nodes.push(svgElement("path", { class: "stem s-" + colour, d }));
    place(below.nodes, round.contender, at, below.y(round.p99));
  }
  below.svg.replaceChildren(...below.nodes);
  const latest = timed.at(-1);
  describe("latency", below.svg, latest === undefined ? "–" : format.latency(latest.p99));
};

const keptRows = 12;
const addRow = (round) => {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = round.contender;
  row.append(head);
  const field = (text, kind) => {
    const data = document.createElement("td");
    data.textContent = text;
    if (kind !== undefined) data.className = kind;
    row.append(data);
    return data;
  };
  field(round.workload);
  field(round.block);
  if (round.problem !== null) {
    field(round.problem, "bad").colSpan = 4;
  } else {
    const told = (value, write) => value === null ? "–" : write(value);
    field(told(round.throughput, format.throughput), "n");
    field(told(round.cpuPerMessage, (value) => three(value) + " µs"), "n");
    field(told(round.p50, format.latency), "n");
    field(told(round.p99, format.latency), "n");
  }
  const body = document.querySelector("#rounds tbody");
  body.prepend(row);
  while (body.rows.length > keptRows) body.lastChild.remove();
};

let now = 0;
const seconds = (text) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
let roundsDrawn = -1;
const draw = () => {
  drawTrace("cpu", now, 100);
  drawTrace("memory", now, 2 ** 20);
  // Only what is new moves: this machine has something else to do.
  if (roundsDrawn !== rounds.length) drawRounds(now);
  roundsDrawn = rounds.length;
};

// Many messages at once are one picture, and a page that nobody sees draws none.
let due = false;
const schedule = () => {
  if (due || document.hidden) return;
  due = true;
  requestAnimationFrame(() => { due = false; draw(); });
};

const source = new EventSource("/events");
const on = (kind, hear) => source.addEventListener(kind, (event) => hear(JSON.parse(event.data)));
on("status", (status) => {
  const progress = byId("progress");
  progress.max = Math.max(1, status.total);
  progress.value = status.done;
  byId("doing").textContent = status.doing;
  byId("time").textContent = "Round " + Math.min(status.total, status.done + 1) + " of "
    + status.total + "; " + status.elapsed + " so far, " + status.left;
  now = Math.max(now, seconds(status.elapsed));
  const contender = status.doing.split(": ")[0];
  for (const [name, { item }] of marks) item.classList.toggle("now", name === contender);
});
on("samples", (fresh) => {
  samples.push(...fresh);
  while (samples.length > 480) samples.shift();
  now = Math.max(now, ...fresh.map(({ at }) => at));
  schedule();
});
on("round", (round) => { rounds.push(round); addRow(round); schedule(); });
on("note", (text) => { byId("note").textContent = text; });
on("finished", () => {
  ended = true;
  source.close();
  location.replace("/report.html");
});
// A run that was killed says no goodbye; coming back would find nobody.
source.onerror = () => {
  source.close();
  if (!ended) byId("doing").textContent = "The run has ended without a report.";
};
addEventListener("resize", () => { roundsDrawn = -1; schedule(); });
document.addEventListener("visibilitychange", schedule);
draw();
})();
`;
