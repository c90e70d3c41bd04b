// What the programs under measurement were made from and with: Node, compiler, flags, commit.
// Whatever cannot be asked is null; folders of this machine are left out.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { ReadText } from "./kernel-files.ts";

export interface Software {
  readonly node: string;
  readonly v8: string;
  readonly libuv: string;
  /** The first line of its --version. */
  readonly compiler: string | null;
  /** Those that the native programs were built with, save the ones that name folders. */
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
    compiler: compilerOf(),
    compilerFlags: compilerFlagsOf(read(join(root, "build", "echo-server.target.mk"))),
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

function compilerOf(): string | null {
  const version = output(process.env["CXX"] ?? "c++", ["--version"]);
  const line = version?.split("\n")[0]?.trim();
  return line ? line.replace(/\S*\/\S*/g, "").trim() : null;
}

/** The flags of node-gyp's release build in its order, without those that name folders. */
export function compilerFlagsOf(makefile: string | null): string | null {
  if (makefile === null) return null;
  const flags = ["CFLAGS_Release", "CFLAGS_CC_Release"].flatMap((name) => {
    const [, list = ""] = makefile.match(new RegExp(`^${name} :=((?:.*\\\\\\n)*.*)$`, "m")) ?? [];
    return list.split(/[\s\\]+/).filter((flag) => flag.startsWith("-") && !flag.includes("/"));
  });
  const kept = flags.filter((flag) => !/^-(I|isystem|include)$/.test(flag));
  return kept.length === 0 ? null : [...new Set(kept)].join(" ");
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
