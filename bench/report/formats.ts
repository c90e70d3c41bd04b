// Every format of the report, one row each.

import { csv } from "./csv.ts";
import { folded } from "./folded.ts";
import { html } from "./html/page.ts";
import { json } from "./json.ts";
import { markdown } from "./markdown.ts";
import type { FormatName, ReportFormat } from "./rendering.ts";
import { svg } from "./svg/document.ts";
import { terminal } from "./terminal.ts";

/** Files are written in this order. */
export const formats: { readonly [N in FormatName]: ReportFormat } = {
  terminal,
  markdown,
  html,
  csv,
  json,
  svg,
  folded,
};

/** The names of those that make one text. */
export const textFormats: readonly FormatName[] = Object.values(formats)
  .filter(({ text }) => text !== null)
  .map(({ name }) => name);
