// --live and --live-port: the options of commands that can show what they measure while they do.

import { type Given, type OptionRow, whole } from "../command-line.ts";

const port = whole(1, 65_535);

export const liveRows: readonly OptionRow[] = [
  { name: "live", value: "", help: "shows the run on a page on 127.0.0.1" },
  { name: "live-port", value: "N", help: "its port; default: a free one", read: port },
];

/** 0 for any port that is free; null without a page. */
export function livePortOf({ values }: Given): number | null {
  const told = values["live-port"] as number | null;
  return told ?? (values["live"] === true ? 0 : null);
}
