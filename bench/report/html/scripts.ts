// The programs that run in a browser, as build.mjs bundles them from bench/web. The one file of
// this room that reads: a page holds its program, so that it is one file.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packagePaths } from "../../paths.ts";

/** Read at once: a package without them fails before it measures, not after. */
const [page, live] = ["page", "live"].map((name) =>
  readFileSync(join(packagePaths().web, `${name}.js`), "utf8"),
);

export const pageScript = page ?? "";
export const liveScript = live ?? "";
