// What a contender needs that an installed package may lack: a package that only development
// depends on, a program of examples/. Says what is missing and what to do, and loads nothing.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Paths } from "../paths.ts";

/** The server of bench/delivery/replicas.ts. */
const store = join("dist", "examples", "replicated-store.js");

export function missingZeromq({ root, inClone }: Paths): string | null {
  try {
    createRequire(join(root, "package.json")).resolve("zeromq");
    return null;
  } catch {
    // Both in one folder, because a package that npx or -g has put elsewhere would not find it.
    const install = inClone ? "npm ci" : "npm install io-selectors zeromq";
    return `the package zeromq is not installed beside io-selectors; run: ${install}`;
  }
}

export function missingStore(paths: Paths): string | null {
  const { root, inClone } = paths;
  if (existsSync(join(root, store))) return missingZeromq(paths);
  return inClone
    ? "examples/ is not compiled; run: npm run build"
    : "the store is not part of the installed package; clone the repository and run it there";
}
