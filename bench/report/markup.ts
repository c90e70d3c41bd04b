// Markup as a type of its own: only text() and element() make it, so that foreign text cannot reach
// HTML or SVG unescaped. WHATWG HTML, "serializing HTML fragments"; the result is well-formed XML,
// too.

import { plainLine } from "./format.ts";

/** Text that is safe to stand in a document as it is. */
export type Markup = string & { readonly markup: unique symbol };

type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Nothing at all. */
export const nothing = "" as Markup;

/** Foreign text as markup: escaped, and without what no document may hold. Outer spaces stay. */
export function text(value: string): Markup {
  const before = /^\s/.test(value) ? " " : "";
  const after = /\S\s+$/.test(value) ? " " : "";
  return `${before}${escaped(plainLine(value))}${after}` as Markup;
}

/** One element. Attributes and children that are null are left out; true stands as its name. */
export function element(
  name: string,
  attributes: Attributes,
  ...children: readonly (Markup | null)[]
): Markup {
  const inner = children.filter((child) => child !== null).join("");
  const start = `<${name}${attributesText(attributes)}`;
  if (voidElements.has(name)) return `${start}>` as Markup;
  return (
    inner === "" && selfClosing.has(name) ? `${start}/>` : `${start}>${inner}</${name}>`
  ) as Markup;
}

/** Pieces one after the other; null is left out. */
export function join(parts: readonly (Markup | null)[], between = ""): Markup {
  return parts.filter((part) => part !== null).join(between) as Markup;
}

/** Our own style sheets and scripts. @throws {Error} if they would end their element. */
export function raw(name: "style" | "script", content: string): Markup {
  if (content.toLowerCase().includes(`</${name}`)) throw new Error(`</${name} inside ${name}`);
  return `<${name}>${content}</${name}>` as Markup;
}

/** A paragraph of a kind that the style sheet has, such as "lead". */
export function paragraph(kind: string, ...content: readonly Markup[]): Markup {
  return element("p", { class: kind }, ...content);
}

/** Content that opens when its title is chosen. */
export function folding(
  title: Markup,
  attributes: Attributes,
  ...content: readonly (Markup | null)[]
): Markup {
  return element("details", attributes, element("summary", {}, title), ...content);
}

export function bullets(items: readonly Markup[], attributes: Attributes = {}): Markup {
  return element("ul", attributes, ...items.map((item) => element("li", {}, item)));
}

/** A term and what it means, in a list of such. */
export function definition(term: string, meaning: string): Markup {
  return element("div", {}, element("dt", {}, text(term)), element("dd", {}, text(meaning)));
}

/** A name that may be an id or a part of a file's name: "cpu-10000-64". */
export function identifier(...parts: readonly (string | number)[]): string {
  return parts
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** Coordinates to a tenth of a pixel. */
export function coordinate(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const voidElements = new Set(["meta", "link", "br", "hr", "input", "col"]);
const selfClosing = new Set(["path", "rect", "circle", "line", "polyline"]);

function attributesText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => {
      if (value === null || value === undefined || value === false) return "";
      if (value === true) return ` ${name}=""`;
      return ` ${name}="${typeof value === "number" ? coordinate(value) : escaped(value)}"`;
    })
    .join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What no XML document may hold, not even escaped: Extensible Markup Language 1.0, "Char". */
const notInXml = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

function escaped(value: string): string {
  return value
    .replace(notInXml, "\ufffd")
    .replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
