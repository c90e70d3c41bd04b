// Where this package's own programs lie, whether this file runs from bench/ or from dist/bench/.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export interface Paths {
  /** The folder that holds package.json. */
  readonly root: string;
  readonly node: string;
  readonly echoServer: string;
  readonly loadGenerator: string;
  /** The TypeScript contenders' entry, compiled. */
  readonly serve: string;
  /** The compiled module that makes a contender of any server. */
  readonly announce: string;
  /** The programs of the pages, bundled. */
  readonly web: string;
  /** Where reports go by default: in a clone its own folder, otherwise below the current one. */
  readonly reports: string;
  /** Whether this is a clone, with build.mjs, or an installed package. */
  readonly inClone: boolean;
}

/** @throws {Error} if no folder above holds a package.json. */
export function packagePaths(moduleUrl: string = import.meta.url): Paths {
  const root = packageRoot(dirname(fileURLToPath(moduleUrl)));
  const inClone = existsSync(join(root, "build.mjs"));
  return {
    root,
    node: process.execPath,
    echoServer: compiledPath(root, "echo-server"),
    loadGenerator: compiledPath(root, "load-generator"),
    serve: join(root, "dist", "bench", "contenders", "serve.js"),
    announce: join(root, "dist", "bench", "contenders", "announce.js"),
    web: join(root, "dist", "bench", "web"),
    reports: inClone ? join(root, "reports") : resolve("reports"),
    inClone,
  };
}

/** Text with the commands as the reader types them: an installed package has no npm scripts. */
export function asTyped(text: string): string {
  if (packagePaths().inClone) return text;
  return text.replace(/npm run (?:-s )?bench(?::(regression))?(?: --)?(?![:\w])/g, (_all, part) => {
    return `npx io-selectors ${part ?? "bench"}`;
  });
}

/** Where build.mjs compiles to, or where an installed package has it prebuilt, in this order. */
export function compiledPath(root: string, name: string, extension = ""): string {
  const here = join(root, "build", "Release", `${name}${extension}`);
  const libc = existsSync("/etc/alpine-release") ? ".musl" : ".glibc"; // as node-gyp-build has it
  const tag = process.platform === "linux" ? libc : "";
  const folder = join(root, "prebuilds", `${process.platform}-${process.arch}`);
  const prebuilt = join(folder, `${name}${tag}${extension}`);
  return !existsSync(here) && existsSync(prebuilt) ? prebuilt : here;
}

function packageRoot(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error("no package.json above this module");
  return packageRoot(above);
}
