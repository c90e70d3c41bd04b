// --live and --live-port: the options of commands that can show what they measure while they do.

import { flag, type Given, type OptionRow, option, whole } from "../command-line.ts";

const port = whole(1, 65_535);

export const liveRows: readonly OptionRow[] = [
  flag("live", "shows the run on a page on 127.0.0.1"),
  option("live-port", "N", "port of the --live page; default: a free one", port),
];

/** 0 for any port that is free; null without a page. */
export function livePortOf({ values }: Given): number | null {
  const told = values["live-port"] as number | null;
  return told ?? (values["live"] === true ? 0 : null);
}
