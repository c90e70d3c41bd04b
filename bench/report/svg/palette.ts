// Which colour and which shape a contender has, the same in every chart and every report: the hue
// by its strategy, tone and shape by its runtime. Colours differ for people who see no red or no
// green too; nothing is shown by colour alone.

import type { Cell } from "../../model/results.ts";
import { type Kind, type RuntimeRow, runtimeRow } from "../../model/runtimes.ts";

/** Colours of one theme, by name. */
export type Theme = Readonly<Record<string, string>>;

/** A hue: for native servers, and for those in JavaScript. WCAG 2.2, 1.4.11: at least 3:1. */
type Tones = readonly [strong: string, soft: string];

interface Hue {
  readonly name: string;
  readonly light: Tones;
  readonly dark: Tones;
}

const hues: readonly Hue[] = [
  { name: "epoll", light: ["#0a4f9c", "#3a8ad6"], dark: ["#74b7fa", "#3f86cf"] },
  { name: "edge", light: ["#006f83", "#2595a8"], dark: ["#5fd0e0", "#3397a8"] },
  { name: "ring", light: ["#00694a", "#2a9670"], dark: ["#58d3a4", "#2f9c76"] },
  { name: "proactor", light: ["#2f4fb0", "#6f86d9"], dark: ["#a3b4ff", "#6c80cf"] },
  { name: "thread", light: ["#9c4a00", "#cf7a1f"], dark: ["#f5a54a", "#c07a2b"] },
  { name: "process", light: ["#6b5300", "#9a8420"], dark: ["#d8c25a", "#9e8c35"] },
  { name: "fork", light: ["#4a6b00", "#7a971f"], dark: ["#b4d455", "#7f9a35"] },
  { name: "port", light: ["#7a4a3a", "#a8745f"], dark: ["#d9a58f", "#a5745f"] },
  { name: "busy", light: ["#b01c1c", "#e05a4e"], dark: ["#ff8277", "#cf5549"] },
  { name: "select", light: ["#6a2c91", "#a366c9"], dark: ["#c79bea", "#9565bd"] },
  { name: "poll", light: ["#ad2b74", "#d966a4"], dark: ["#f58cc4", "#c25a95"] },
  { name: "net", light: ["#3c434b", "#6d757e"], dark: ["#c9d0d7", "#8f979f"] },
];

/** epoll and kqueue never meet on one machine, so they share a hue. A tone may be part of it. */
const hueOfStrategy: Readonly<Record<string, string>> = {
  "reactor-epoll": "epoll",
  epoll: "epoll",
  "reactor-kqueue": "epoll",
  kqueue: "epoll",
  "reactor-epoll-edge": "edge",
  "reactor-workers": "port",
  io_uring: "ring",
  "reactor-io_uring": "ring",
  "proactor-epoll": "proactor",
  "connections-epoll": "proactor",
  "connections-io_uring": "edge",
  "thread-per-connection": "thread",
  "process-per-connection": "process",
  prefork: "fork",
  "prefork-reuseport": "port",
  "busy-poll": "busy",
  select: "select",
  poll: "poll",
  net: "net",
  // Peers, which have one shape.
  "bare-epoll": "epoll",
  libuv: "ring",
  libevent: "process",
  asio: "net",
  tokio: "port",
  go: "edge",
  "java-nio": "thread",
  "java-virtual-threads": "thread-soft",
  bun: "proactor",
  deno: "busy",
  "python-selectors": "poll",
  asyncio: "poll-soft",
  uvloop: "select",
  twisted: "select-soft",
  gevent: "fork",
  // Ways to deliver an event, and stores: no servers, but as far apart as these are.
  all: "busy",
  selector: "epoll",
  open: "thread",
  broadcast: "poll",
  multicast: "fork",
  datagram: "ring",
  "pub-sub": "select",
  bounded: "epoll",
  unbounded: "busy",
  "one-address": "thread",
};

/** How a contender is drawn in every chart. */
export interface ContenderMark {
  readonly colour: string;
  readonly shape: RuntimeRow["shape"];
  /** Its lines: dashed if its figures include an engine. */
  readonly dashed: boolean;
}

/** A strategy without a hue of its own gets one by its contender's name. */
export function markOf({
  contender,
  runtime,
  strategy,
}: Kind & { contender: string }): ContenderMark {
  const hue = hueOfStrategy[strategy] ?? hues[digest(contender) % hues.length]?.name ?? "net";
  const { shape, engine, soft } = runtimeRow(runtime);
  const colour = soft && !hue.endsWith("-soft") ? `${hue}-soft` : hue;
  return { colour, shape, dashed: engine !== null };
}

/** The mark of the contender that some of the cells are of. */
export function markIn(cells: readonly Cell[], contender: string): ContenderMark {
  const found = cells.find((cell) => cell.contender === contender);
  return markOf(found ?? { contender, runtime: "foreign", strategy: contender });
}

const inks: Readonly<Record<"light" | "dark", Theme>> = {
  light: {
    page: "#f7f7f5",
    surface: "#ffffff",
    ink: "#1b1f24",
    muted: "#59616b",
    line: "#e2e4e7",
    axis: "#8a929c",
    accent: "#0a4f9c",
    good: "#1a7046",
    "good-back": "#e8f5ee",
    warn: "#8a5200",
    "warn-back": "#fdf3e1",
    bad: "#b01c1c",
    "bad-back": "#fdecea",
  },
  dark: {
    page: "#0f1215",
    surface: "#171b1f",
    ink: "#e9ecef",
    muted: "#a5adb6",
    line: "#2b3137",
    axis: "#77808a",
    accent: "#74b7fa",
    good: "#62cf98",
    "good-back": "#12251b",
    warn: "#f0b35b",
    "warn-back": "#2a2011",
    bad: "#ff8d83",
    "bad-back": "#2e1715",
  },
};

export const lightTheme: Theme = { ...inks.light, ...tones("light") };
export const darkTheme: Theme = { ...inks.dark, ...tones("dark") };

/** The colours that marks may have, for the rules of style.ts. */
export const markColours: readonly string[] = Object.keys(tones("light"));

function tones(theme: "light" | "dark"): Theme {
  return Object.fromEntries(
    hues.flatMap((hue) => [
      [hue.name, hue[theme][0]],
      [`${hue.name}-soft`, hue[theme][1]],
    ]),
  );
}

function digest(name: string): number {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return hash;
}
