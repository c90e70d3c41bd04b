// Base and head as built trees of their own, outside the repository, gone when the run is over.
// git-worktree(1). What a tree has in common with the one that we run from is copied, not built
// again: build.mjs believes its stamps only if the content of all inputs is the same.

import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isAlive } from "../host/processes.ts";
import { CannotCompare } from "./gate.ts";
import type { Revision } from "./result.ts";
import { pathsOf } from "./sides.ts";
import { runBuild, runTool, type ToolContext } from "./tool.ts";

/** A large repository on a slow disk. */
const checkOutTimeoutMs = 900_000;

const installedBy = ["package.json", "package-lock.json", ".npmrc"];
const stamps = join("node_modules", ".cache", "io-selectors");

const prefix = "io-selectors-regression-";

/** The worktrees of one run. */
export class Worktrees {
  /** For whatever else the run needs on disk. */
  readonly folder: string;
  readonly #root: string;
  readonly #context: ToolContext;

  /** @param root the repository that the commits are in, built. */
  constructor(root: string, context: ToolContext) {
    sweep();
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`)));
    this.#root = root;
    this.#context = context;
    // The last way out, if nothing can be awaited any more.
    process.once("exit", () => {
      for (const side of checkedOut) forget(join(this.folder, side));
      leftOver(this.folder);
    });
  }

  /** Checks a commit out and builds it. @throws {CannotCompare} @throws {Interrupted} */
  async build(side: "base" | "head", { commit }: Revision): Promise<string> {
    const tree = await this.#checkOut(side, commit, "");
    if (!existsSync(join(tree, "build.mjs"))) {
      throw new CannotCompare(`${side} ${commit} is too old: it has no build.mjs`);
    }
    shareBuilt(this.#root, tree);
    await this.#runBuild(side, commit, [process.execPath, join(tree, "build.mjs"), "build"]);
    const { echoServer, serve } = pathsOf(tree);
    const missing = [echoServer, serve].find((program) => !existsSync(program));
    if (missing !== undefined) {
      throw new CannotCompare(
        `${side} ${commit} is too old: it has no ${missing.slice(tree.length + 1)}`,
      );
    }
    return tree;
  }

  /**
   * Checks a commit of any repository out and builds it by a shell's command, in a folder of it.
   * @returns the folder. @throws {CannotCompare} if it does not build. @throws {Interrupted}
   */
  async buildBy(
    side: "base" | "head",
    { commit }: Revision,
    { folder, command }: { readonly folder: string; readonly command: string | null },
  ): Promise<string> {
    const place = join(await this.#checkOut(side, commit, folder), folder);
    if (command !== null) {
      const script = `cd ${shellQuoted(place)} || exit\n${command}`;
      await this.#runBuild(side, commit, ["/bin/sh", "-c", script]);
    }
    return place;
  }

  /**
   * Checks a commit out and packs it, to be built on another machine: all files but git's own.
   * @param folder of the commit, which must be there. @returns a file of a name that holds the hash
   *   of the tree. @throws {CannotCompare} @throws {Interrupted}
   */
  async pack(
    side: "base" | "head",
    { commit }: Revision,
    folder: string,
  ): Promise<{ readonly file: string; readonly bytes: Buffer }> {
    const tree = await this.#checkOut(side, commit, folder);
    const hash = await this.#run(side, ["git", "-C", tree, "rev-parse", "HEAD^{tree}"]);
    const archive = join(this.folder, `${side}.tar.gz`);
    await this.#run(side, ["tar", "-czf", archive, "-C", tree, "--exclude=./.git", "."]);
    return { file: `${packedPrefix}${hash}.tar.gz`, bytes: readFileSync(archive) };
  }

  async #checkOut(side: "base" | "head", commit: string, folder: string): Promise<string> {
    const tree = join(this.folder, side);
    const argv = ["git", "-C", this.#root, "worktree", "add", "--quiet", "--detach", tree, commit];
    await this.#run(side, argv);
    if (existsSync(join(tree, folder))) return tree;
    throw new CannotCompare(`${side} ${commit} has no folder ${folder}`);
  }

  /** @returns the first line of a command. */
  async #run(side: string, argv: readonly string[]): Promise<string> {
    const { lines, failure } = await runTool(argv, this.#context, {
      timeoutMs: checkOutTimeoutMs,
    });
    if (failure === null) return lines[0] ?? "";
    throw new CannotCompare(`${side}: ${argv.join(" ")} ${failure}`);
  }

  async #runBuild(side: string, commit: string, argv: readonly string[]): Promise<void> {
    const failure = await runBuild(argv, this.#context);
    if (failure === null) return;
    throw new CannotCompare(`${side} ${commit} does not build: ${failure}`);
  }

  /**
   * Takes everything away again, after an interruption too.
   * @returns what stays, and why; null if nothing does.
   */
  async remove(): Promise<string | null> {
    const { signal } = new AbortController();
    const context = { host: this.#context.host, signal };
    // Not git worktree prune: others of the user's may be on a disk that is not mounted now.
    for (const side of checkedOut) forget(join(this.folder, side));
    if (leftOver(this.folder) !== null) {
      // A cache of packages may be read-only.
      await runTool(["chmod", "-R", "u+rwX", this.folder], context);
    }
    return leftOver(this.folder);
  }
}

/** Removes a folder. @returns what is left of it, and why; null if nothing is. */
function leftOver(folder: string): string | null {
  try {
    rmSync(folder, { recursive: true, force: true });
    return null;
  } catch (error) {
    return `${folder} could not be removed: ${(error as Error).message}`;
  }
}

const packedPrefix = "tree-";
/** Of packed trees, for the shell of another machine. */
export const packedPattern = `${packedPrefix}*.tar.gz`;

/** One word of a shell's command. sh(1) */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const checkedOut = ["base", "head"] as const;

/** Takes away what runs have left that were killed. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, owner] = name.startsWith(prefix)
      ? (name.slice(prefix.length).match(/^(\d+)-/) ?? [])
      : [];
    if (owner === undefined || isAlive(Number(owner))) continue;
    const folder = join(realpathSync(tmpdir()), name);
    // What belongs to another user only that user may remove.
    const status = lstatSync(folder, { throwIfNoEntry: false });
    if (status === undefined || status.uid !== process.getuid?.()) continue;
    for (const side of checkedOut) forget(join(folder, side));
    leftOver(folder);
  }
}

/**
 * What its repository knows of a worktree: gitrepository-layout(5), worktrees/<id>/. Both links may
 * be relative to the folder that they are in: git-worktree(1), worktree.useRelativePaths.
 */
function forget(tree: string): void {
  const [, link = ""] =
    textOf(join(tree, ".git"))?.match(/^gitdir: (.*\/worktrees\/[^/\n]+)\n/) ?? [];
  if (link === "") return;
  const known = resolve(tree, link);
  const back = textOf(join(known, "gitdir"))?.trim();
  if (back !== undefined && resolve(known, back) === join(tree, ".git")) leftOver(known);
}

/** Dependencies as links, outputs as copies; nothing if the dependencies are others. */
function shareBuilt(donor: string, tree: string): void {
  const isSame = (name: string) => textOf(join(donor, name)) === textOf(join(tree, name));
  if (!installedBy.every(isSame)) return;
  if (!existsSync(join(donor, "node_modules"))) return;
  linkDependencies(join(donor, "node_modules"), join(tree, "node_modules"));
  share(donor, tree, "dependencies", []);
  share(donor, tree, "typescript", ["dist"]);
  share(donor, tree, "native", [join("build", "Release")]);
}

/** A stamp and what it vouches for, for build.mjs; nothing is lost if it does not believe it. */
function share(donor: string, tree: string, name: string, outputs: readonly string[]): void {
  const stamp = join(stamps, `${name}.sha256`);
  const before = textOf(join(donor, stamp));
  if (before === null) return;
  for (const output of outputs) {
    if (!existsSync(join(donor, output))) return;
    cpSync(join(donor, output), join(tree, output), {
      recursive: true,
      filter: (path) => !/[\\/](obj\.target|\.deps)$/.test(path),
    });
  }
  // If the donor was rebuilt meanwhile, this is a mixture.
  if (textOf(join(donor, stamp)) !== before) return;
  mkdirSync(join(tree, stamps), { recursive: true });
  cpSync(join(donor, stamp), join(tree, stamp));
}

/** Each package by itself: stamps and caches in node_modules are the tree's own. */
function linkDependencies(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (name === ".cache" || existsSync(join(to, name))) continue;
    symlinkSync(join(from, name), join(to, name));
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not there: the caller does without.
    return null;
  }
}
