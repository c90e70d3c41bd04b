// The frame of every page: metadata, style, and a policy that loads nothing. CSP Level 3

import { element, type Markup, raw, text } from "../markup.ts";
import { pageStyle } from "./style.ts";

interface DocumentParts {
  readonly title: string;
  readonly body: Markup;
  /** Beyond the report's own. */
  readonly style?: string;
  /** "script": those inside the page; "server": requests to its server. Nothing by default. */
  readonly allows?: readonly ("script" | "server")[];
}

export function renderDocument({ title, body, style, allows = [] }: DocumentParts): string {
  const head = element(
    "head",
    {},
    element("meta", { charset: "utf-8" }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("meta", { name: "color-scheme", content: "light dark" }),
    element("meta", { "http-equiv": "Content-Security-Policy", content: policyOf(allows) }),
    element("title", {}, text(title)),
    element("link", { rel: "icon", href: "data:," }),
    raw("style", style === undefined ? pageStyle() : `${pageStyle()}\n${style}`),
  );
  return `<!doctype html>\n${element("html", { lang: "en" }, head, body)}\n`;
}

/** Nothing may be loaded from anywhere, whatever a results.json holds. */
function policyOf(allows: readonly ("script" | "server")[]): string {
  return [
    "default-src 'none'",
    "img-src data:",
    "style-src 'unsafe-inline'",
    ...(allows.includes("script") ? ["script-src 'unsafe-inline'"] : []),
    ...(allows.includes("server") ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
