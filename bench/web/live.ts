// What the live page does: it listens to the run, draws four charts, and goes to the report at the
// end. It asks only the server that it came from.

import { keptSamples, type LiveMessage, type LiveRound, type LiveSample } from "../model/live.ts";
import { absent, clock } from "../report/format.ts";
import { Charts, formats } from "./live-charts.ts";

type Data<Kind extends LiveMessage["kind"]> = Extract<LiveMessage, { kind: Kind }>["data"];

const keptRows = 12;

const samples: LiveSample[] = [];
const rounds: LiveRound[] = [];
const items = new Map<string, Element>();
for (const item of document.querySelectorAll<HTMLElement>(".legend li")) {
  items.set(item.dataset["name"] ?? "", item);
}
const standing = new Map<string, HTMLTableRowElement>();
for (const row of document.querySelectorAll<HTMLTableRowElement>("#standing tbody tr")) {
  standing.set(row.dataset["name"] ?? "", row);
}
const charts = new Charts(items);
let now = 0;
let runningNow: readonly string[] = [];
let roundsDrawn = -1;
let due = false;
let over = false;

const source = new EventSource("/events");
on("status", ({ done, total, elapsedSeconds, left, running, doing }) => {
  const progress = document.querySelector("progress");
  if (progress !== null) {
    progress.max = Math.max(1, total);
    progress.value = done;
  }
  put("doing", doing);
  const round = Math.min(total, done + 1);
  put("time", `Round ${round} of ${total}; ${clock(elapsedSeconds)} so far, ${left}`);
  now = Math.max(now, elapsedSeconds);
  runningNow = running;
  for (const [name, item] of [...items, ...standing]) {
    item.classList.toggle("now", running.includes(name));
  }
});
on("samples", (fresh) => {
  samples.push(...fresh);
  samples.splice(0, samples.length - keptSamples);
  now = Math.max(now, ...fresh.map(({ at }) => at));
  schedule();
});
on("round", (round) => {
  rounds.push(round);
  addRow(round);
  showStanding(round);
  schedule();
});
on("note", (text) => put("note", text));
on("finished", () => {
  over = true;
  source.close();
  location.replace("/report.html");
});
// A run that was killed ends without a message; a second connection would find no server.
source.onerror = () => {
  source.close();
  if (!over) put("doing", "The run has ended without a report.");
};
addEventListener("resize", () => {
  roundsDrawn = -1;
  schedule();
});
document.addEventListener("visibilitychange", schedule);
draw();

function on<Kind extends LiveMessage["kind"]>(kind: Kind, hear: (data: Data<Kind>) => void): void {
  // The server is ours: what it sends under a kind has that kind's shape.
  source.addEventListener(kind, ({ data }) => hear(JSON.parse(data) as Data<Kind>));
}

function put(id: string, text: string): void {
  document.getElementById(id)?.replaceChildren(text);
}

/** Many messages at once are one picture, and a hidden page draws none. */
function schedule(): void {
  if (due || document.hidden) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    draw();
  });
}

function draw(): void {
  charts.drawTrace("cpu", samples, { now, running: runningNow });
  charts.drawTrace("memory", samples, { now, running: runningNow });
  // Only what is new moves: this machine has something else to do.
  if (roundsDrawn !== rounds.length) charts.drawRounds(rounds, now);
  roundsDrawn = rounds.length;
}

/** A contender's medians over its rounds of the scenario under way, and all that it dropped. */
function showStanding({ contender, scenario }: LiveRound): void {
  const all = rounds.filter((round) => round.contender === contender);
  const own = all.filter((round) => round.scenario === scenario);
  const sum = (of: (round: LiveRound) => number) => all.reduce((total, one) => total + of(one), 0);
  const median = (of: (round: LiveRound) => number | null, write: (value: number) => string) => {
    const values = own.flatMap((round) => of(round) ?? []).sort((left, right) => left - right);
    const middle = values[Math.floor(values.length / 2)];
    return middle === undefined ? absent : write(middle);
  };
  const failed = own.filter(({ problem }) => problem !== null).length;
  const texts = [
    scenario,
    failed === 0 ? String(own.length) : `${own.length}, ${failed} failed`,
    median(({ throughput }) => throughput, formats.throughput),
    median(({ cpuPerMessage }) => cpuPerMessage, formats.latency),
    median(({ p50 }) => p50, formats.latency),
    median(({ p99 }) => p99, formats.latency),
    `${sum(({ dropped }) => dropped)} of ${sum(({ windows }) => windows)}`,
  ];
  const fields = standing.get(contender)?.querySelectorAll("td") ?? [];
  for (const [index, field] of [...fields].entries()) field.textContent = texts[index] ?? "";
}

function addRow(round: LiveRound): void {
  const body = document.querySelector<HTMLTableSectionElement>("#rounds tbody");
  if (body === null) return;
  const row = body.insertRow(0);
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = round.contender;
  row.append(head);
  const field = (text: string, className = "") => {
    const cell = row.insertCell();
    cell.className = className;
    cell.textContent = text;
    return cell;
  };
  field(round.scenario);
  field(round.block);
  if (round.problem !== null) {
    field(round.problem, "bad").colSpan = 4;
  } else {
    const figure = (value: number | null, write: (value: number) => string) =>
      field(value === null ? absent : write(value), "n");
    figure(round.throughput, formats.throughput);
    figure(round.cpuPerMessage, formats.latency);
    figure(round.p50, formats.latency);
    figure(round.p99, formats.latency);
  }
  while (body.rows.length > keptRows) body.deleteRow(-1);
}
