// Compiles a peer once into build/peers/. The folder's name holds a digest of the sources and of
// the compiler's version, so that a changed source or a new compiler makes a new program.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Paths } from "../paths.ts";
import type { FoundTool } from "./toolchains.ts";

export interface Recipe {
  readonly name: string;
  readonly paths: Paths;
  readonly tool: FoundTool;
  /** Below bench/contenders/peers, where the commands run. */
  readonly sources: readonly string[];
  /** The commands that make the program in the folder `out`, in order. */
  readonly build: (tool: FoundTool, out: string) => readonly (readonly string[])[];
}

/** Nothing is downloaded, whatever the tool would do by itself. */
const offline = {
  GOTOOLCHAIN: "local",
  GOPROXY: "off",
  GO111MODULE: "off",
  CARGO_NET_OFFLINE: "true",
};

/** Of what a compiler says goes into a reason: its end. */
const quotedCharacters = 400;

/** Where the program is, or will be. */
export function programFolder({ name, paths, tool, sources }: Recipe): string {
  const hash = createHash("sha256").update(tool.version);
  for (const source of sources) hash.update(readFileSync(join(sourcesOf(paths), source)));
  return join(paths.root, "build", "peers", `${name}-${hash.digest("hex").slice(0, 12)}`);
}

export function isCompiled(recipe: Recipe): boolean {
  return existsSync(programFolder(recipe));
}

/** @returns why it does not compile, or null. Does nothing if it is compiled already. */
export function compile(recipe: Recipe): string | null {
  const folder = programFolder(recipe);
  if (existsSync(folder)) return null;
  mkdirSync(dirname(folder), { recursive: true });
  // Beside its place and then into it, so that an interrupted compilation leaves no half program.
  const out = mkdtempSync(join(dirname(folder), ".new-"));
  try {
    for (const [program = "", ...args] of recipe.build(recipe.tool, out)) {
      const { status, stderr, error } = spawnSync(program, args, {
        cwd: sourcesOf(recipe.paths),
        env: { ...process.env, ...offline },
        encoding: "utf8",
        stdio: ["ignore", "ignore", "pipe"],
      });
      if (status === 0) continue;
      const why = error?.message ?? stderr.trim().slice(-quotedCharacters);
      return `cannot compile peer:${recipe.name} with ${recipe.tool.version}: ${program}: ${why}`;
    }
    if (!existsSync(folder)) renameSync(out, folder);
    return null;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const sourcesOf = ({ root }: Paths) => join(root, "bench", "contenders", "peers");
