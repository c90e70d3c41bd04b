// --live and --live-port: the options of commands that can show what they measure while they do.

import { type Given, type OptionRow, whole } from "../command-line.ts";

const port = whole(1, 65_535);

export const liveRows: readonly OptionRow[] = [
  { name: "live", value: "", help: "a page on 127.0.0.1 that shows it while it runs" },
  { name: "live-port", value: "N", help: "its port; any that is free unless told", read: port },
];

/** 0 for any port that is free; null without a page. */
export function livePortOf({ values }: Given): number | null {
  const told = values["live-port"] as number | null;
  return told ?? (values["live"] === true ? 0 : null);
}
