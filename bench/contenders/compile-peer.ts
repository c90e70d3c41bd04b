// Compiles a peer once per user, into a cache that all clones share. The folder's name holds a
// digest of the sources, the compiler's version, the commands and the platform, so that a change of
// any of them makes a new program.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
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

/** A reason contains this many characters of a compiler's output: its end. */
const quotedCharacters = 400;

/** Where the program is, or will be. */
export function programFolder({ name, paths, tool, sources, build }: Recipe): string {
  const commands = build(tool, "OUT");
  const made = { version: tool.version, commands, on: [process.platform, process.arch] };
  const hash = createHash("sha256").update(JSON.stringify(made));
  for (const source of sources) hash.update(readFileSync(join(sourcesOf(paths), source)));
  return join(peersCache(), `${name}-${hash.digest("hex").slice(0, 12)}`);
}

/** In the cache of the programs that are copied to other machines; the same variables move it. */
export function peersCache(): string {
  const { IO_SELECTORS_CACHE: own, XDG_CACHE_HOME: caches } = process.env;
  return join(own || join(caches || join(homedir(), ".cache"), "io-selectors"), "peers");
}

export function isCompiled(recipe: Recipe): boolean {
  return existsSync(programFolder(recipe));
}

/** @returns why it does not compile, or null. Does nothing if it is compiled already. */
export function compile(recipe: Recipe): string | null {
  const folder = programFolder(recipe);
  if (existsSync(folder)) return null;
  let out: string;
  try {
    mkdirSync(dirname(folder), { recursive: true });
    // Beside its place and then into it, so that an interrupted compilation leaves no half program.
    out = mkdtempSync(join(dirname(folder), ".new-"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = "set IO_SELECTORS_CACHE to a folder of yours";
    return `cannot compile peer:${recipe.name}: ${why}; ${hint}`;
  }
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
    moveInto(folder, out);
    return null;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** Another process may have compiled the same program meanwhile: one of them is enough. */
function moveInto(folder: string, made: string): void {
  try {
    renameSync(made, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

const sourcesOf = ({ root }: Paths) => join(root, "bench", "contenders", "peers");
