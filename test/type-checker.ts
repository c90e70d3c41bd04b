// The TypeScript compiler on one folder: what it complains of, and whether it complains if one file
// differs. It keeps what it learned in a file, so that a check after a change takes a fraction of
// the first one.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packagePaths } from "../bench/paths.ts";

const tsc = join(packagePaths().root, "node_modules", "typescript-native", "bin", "tsc");

/** Less CPU time for more memory: one thread, and few garbage collections. */
const frugal = { ...process.env, GOGC: "400" };

/** Compiles what a tsconfig.json names. @returns what the compiler printed; "" without an error. */
export function compile(project: string, ...options: readonly string[]): string {
  const args = [tsc, "--project", project, "--pretty", "false", "--singleThreaded", ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: frugal,
  });
  if (status === 0) return "";
  return stdout || stderr || `tsc ended with ${status} and said nothing`;
}

export class TypeChecker {
  readonly #folder: string;

  /** @param folder holds the tsconfig.json. @throws {Error} if there is none. */
  constructor(folder: string) {
    if (!existsSync(join(folder, "tsconfig.json")))
      throw new Error(`no tsconfig.json in ${folder}`);
    this.#folder = folder;
  }

  /** Compiles the folder into its outDir. @returns the errors, one line each. */
  compile(): string[] {
    return this.#run();
  }

  /** The first error of the folder with the text of one file replaced, or null. Keeps the file. */
  firstComplaint(path: string, text: string): string | null {
    const before = readFileSync(path, "utf8");
    writeFileSync(path, text);
    try {
      return this.#run("--noEmit")[0] ?? null;
    } finally {
      writeFileSync(path, before);
    }
  }

  #run(...options: readonly string[]): string[] {
    const known = ["--incremental", "--tsBuildInfoFile", join(this.#folder, "build", "checked")];
    return compile(this.#folder, ...known, ...options)
      .split("\n")
      .filter((line) => line !== "");
  }
}
