// The marks of charts: points in a colour and a shape, whiskers, bars, text. SVG 2.

import { element, type Markup, coordinate as px, text } from "../markup.ts";
import type { ContenderMark } from "./palette.ts";

/** How a point is filled, with one meaning in all charts: `open` is not ranked. */
export type Filling = "solid" | "open" | "small" | "bar";

export interface Place {
  readonly x: number;
  readonly y: number;
}

const neutral: ContenderMark = { colour: "muted", shape: "circle", dashed: false };

/** A contender's point; a neutral one for legends. */
export function point(at: Place, mark: ContenderMark | null, filling: Filling): Markup {
  const { colour, shape } = mark ?? neutral;
  if (filling === "bar") {
    const d = `M${px(at.x)} ${px(at.y - 7)}V${px(at.y + 7)}`;
    return element("path", { d, class: `w s-${colour}` });
  }
  const radius = filling === "small" ? 3 : 5.25;
  const classes = filling === "open" ? `f-surface open s-${colour}` : `f-${colour}`;
  return element("path", { d: outline(shape, at, radius), class: classes });
}

/** A line from one value to another with caps, at one height. */
export function whisker(from: number, to: number, y: number, { colour }: ContenderMark): Markup {
  const cap = 4;
  const d =
    `M${px(from)} ${px(y - cap)}V${px(y + cap)}` +
    `M${px(from)} ${px(y)}H${px(to)}M${px(to)} ${px(y - cap)}V${px(y + cap)}`;
  return element("path", { d, class: `w-thin s-${colour}` });
}

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface BarLook {
  readonly colour: string;
  readonly kind: "solid" | "hatched" | "open";
  /** The first part of a bar is filled, the others are lighter. */
  readonly first: boolean;
}

/** A part of a bar. Its outline has the whole colour, with a contrast of 3:1 or more. */
export function barPart(box: Area, { colour, kind, first }: BarLook): Markup[] {
  const outline = `s-${colour} w-bar`;
  const bar = (fill: string) => element("rect", { ...box, class: `${fill} ${outline}` });
  if (kind === "open") return [bar("f-surface")];
  if (kind === "solid") return [bar(first ? `f-${colour}` : `f-${colour} light`)];
  return first
    ? [bar(`f-${colour}`), hatching(box, "surface")]
    : [bar("f-surface"), hatching(box, colour)];
}

/** Diagonal lines within a box: paths, because a pattern needs a name that is unique on a page. */
function hatching(box: Area, colour: string): Markup {
  const { x, y, width, height } = box;
  let d = "";
  for (let foot = -height + 4; foot < width; foot += 7) {
    const [from, to] = [Math.max(0, foot), Math.min(width, foot + height)];
    const at = (along: number) => `${px(x + along)} ${px(y + height - (along - foot))}`;
    d += `M${at(from)}L${at(to)}`;
  }
  return element("path", { d, class: `hatch s-${colour}` });
}

interface LabelOptions {
  readonly anchor?: "start" | "middle" | "end";
  readonly style?: "name" | "strong" | "value" | "tick" | "axis" | "head";
}

/** Text whose baseline suits a mark at the same height. */
export function label({ x, y }: Place, value: string, options: LabelOptions = {}): Markup {
  const { anchor = "start", style = "name" } = options;
  const attributes = { x, y: y + 4, class: `t-${style}`, "text-anchor": anchor };
  return element(
    "text",
    anchor === "start" ? { ...attributes, "text-anchor": null } : attributes,
    text(value),
  );
}

/** A group that belongs to a contender, with the words that are shown over it. */
export function contenderGroup(
  contender: string,
  tip: string | null,
  children: readonly (Markup | null)[],
): Markup {
  const title = tip === null ? null : element("title", {}, text(tip));
  return element("g", { "data-contender": contender }, title, ...children);
}

/** A straight line, of a class of style.ts. */
export function straight(from: Place, to: Place, className: string): Markup {
  return element("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, class: className });
}

/** How wide text is, about: no browser is here to ask. On the wide side for all common fonts. */
export function textWidth(value: string, size = 13): number {
  return [...value].length * size * 0.56;
}

/** Corners of a shape of radius 1, from the first around it, as in the attribute `points`. */
const corners: Readonly<Record<Exclude<ContenderMark["shape"], "circle">, string>> = {
  square: "-0.9,-0.9 0.9,-0.9 0.9,0.9 -0.9,0.9",
  diamond: "0,-1.25 1.25,0 0,1.25 -1.25,0",
  triangle: "0,-1.15 1.15,1.15 -1.15,1.15",
  hexagon: "-0.55,-1 0.55,-1 1.1,0 0.55,1 -0.55,1 -1.1,0",
  star: "0,-1.3 0.4,-0.4 1.3,0 0.4,0.4 0,1.3 -0.4,0.4 -1.3,0 -0.4,-0.4",
};

function outline(shape: ContenderMark["shape"], { x, y }: Place, r: number): string {
  if (shape === "circle") {
    return `M${px(x - r)} ${px(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  }
  const path = corners[shape].split(" ").map((corner) => {
    const [dx = 0, dy = 0] = corner.split(",").map(Number);
    return `${px(x + dx * r)} ${px(y + dy * r)}`;
  });
  return `M${path.join("L")}z`;
}
