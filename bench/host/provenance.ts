// What the programs under measurement were made from and with: Node, compiler, flags, commit. A
// value that is not available is null; folders of this machine are left out.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { ReadText } from "./kernel-files.ts";

export interface Software {
  readonly node: string;
  readonly v8: string;
  readonly libuv: string;
  /** The first line of its --version; null unless build.mjs compiled the native programs here. */
  readonly compiler: string | null;
  /** Those of the same build, without the ones that name folders. */
  readonly compilerFlags: string | null;
}

export interface Code {
  readonly commit: string | null;
  /** Whether the commit is all there was: no changes since. */
  readonly clean: boolean | null;
}

/** @param root the folder of this package. */
export function softwareOf(root: string, read: ReadText): Software {
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    libuv: process.versions.uv,
    ...compilerOf(
      read(join(root, "build", "Release", "compiler.json")),
      read(join(root, "build", "echo-server.target.mk")),
    ),
  };
}

/** Only if the package is the root of its repository: a package in node_modules has no commit. */
export function codeOf(root: string): Code {
  const inRepository = output("git", ["-C", root, "rev-parse", "--show-prefix"]);
  if (inRepository === null || inRepository.trim() !== "") return { commit: null, clean: null };
  const commit = output("git", ["-C", root, "rev-parse", "--short=12", "HEAD"]);
  const changes = output("git", ["-C", root, "status", "--porcelain"]);
  return { commit: commit?.trim() || null, clean: changes === null ? null : changes === "" };
}

/**
 * @param record what build.mjs wrote: the compiler, and the flags of the environment, which follow
 *   those of the makefile.
 * @param makefile node-gyp's.
 */
export function compilerOf(
  record: string | null,
  makefile: string | null,
): Pick<Software, "compiler" | "compilerFlags"> {
  if (record === null || makefile === null) return { compiler: null, compilerFlags: null };
  const { version, flags } = JSON.parse(record) as { version: string; flags: string };
  const lists = ["CFLAGS_Release", "CFLAGS_CC_Release"].map((name) => {
    const [, list = ""] = makefile.match(new RegExp(`^${name} :=((?:.*\\\\\\n)*.*)$`, "m")) ?? [];
    return list;
  });
  const words = [...lists, flags].flatMap((list) => list.split(/[\s\\]+/));
  const kept = words.filter((word) => /^-(?!(?:I|isystem|include)$)[^/]+$/.test(word));
  // The last of the same counts.
  const flagsInOrder = kept.filter((flag, i) => kept.lastIndexOf(flag) === i);
  return {
    compiler: version.replace(/\S*\/\S*/g, "").trim() || null,
    compilerFlags: flagsInOrder.join(" ") || null,
  };
}

/** A command's standard output; null if it is missing, fails or takes longer than five seconds. */
function output(command: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: 5000,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? stdout : null;
}
