// Where this package's own programs lie, whether this file runs from bench/ or from dist/bench/.
// Enters: the address of a module of this package. Leaves: absolute paths to start programs with;
// never into a report.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Paths {
  /** The folder that holds package.json. */
  readonly root: string;
  readonly node: string;
  readonly echoServer: string;
  readonly loadGenerator: string;
  /** The TypeScript contenders' entry, compiled. */
  readonly serve: string;
  /** What makes a contender of anybody's server, compiled. */
  readonly announce: string;
}

/** @throws {Error} where no folder above holds a package.json. */
export function packagePaths(moduleUrl: string = import.meta.url): Paths {
  const root = packageRoot(dirname(fileURLToPath(moduleUrl)));
  return {
    root,
    node: process.execPath,
    echoServer: join(root, "build", "Release", "echo-server"),
    loadGenerator: join(root, "build", "Release", "load-generator"),
    serve: join(root, "dist", "bench", "contenders", "serve.js"),
    announce: join(root, "dist", "bench", "contenders", "announce.js"),
  };
}

function packageRoot(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error("no package.json above this module");
  return packageRoot(above);
}
