// What a format of the report is. A new one is a file, its name here and its row in formats.ts.

import type { Report } from "./report.ts";

export type FormatName = "terminal" | "markdown" | "html" | "svg" | "csv" | "json" | "folded";

/** The terminal that text is for. */
export interface TerminalOptions {
  readonly colour: boolean;
  /** In columns. Everything fits in 80 or more, except names and words that are longer. */
  readonly width: number;
}

/** Files by their names, which may hold a folder. */
export type Files = ReadonlyMap<string, string>;

export interface ReportFormat {
  readonly name: FormatName;
  /** The report as one text; null for a format that makes several files. */
  readonly text: ((report: Report, terminal: TerminalOptions) => string) | null;
  /** What a report's folder holds of it. */
  readonly files: (report: Report) => Files;
}

export const noFiles: Files = new Map();
