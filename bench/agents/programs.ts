// Selects the native programs of this package that fit another machine, and their names in its
// cache. A name depends on the content, so another version is another file.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Paths } from "../paths.ts";

/** A file of another machine's cache folder. */
export interface StoredFile {
  /** Its name holds a hash of its content: "load-generator-0123456789abcdef". */
  readonly file: string;
  readonly bytes: Buffer;
}

/** What a machine says of itself. */
export interface System {
  /** uname -s and -m: "Linux", "x86_64". */
  readonly system: string;
  readonly machine: string;
  /** "glibc 2.36", or "musl"; "unknown" if nothing tells. */
  readonly libc: string;
}

const nodePlatforms: Readonly<Record<string, NodeJS.Platform>> = {
  Linux: "linux",
  Darwin: "darwin",
  FreeBSD: "freebsd",
};
const nodeArchitectures: Readonly<Record<string, string>> = {
  x86_64: "x64",
  amd64: "x64",
  aarch64: "arm64",
  arm64: "arm64",
};

/** What this machine is, in the same words. */
function isLike({ system, machine }: System): boolean {
  const platform = nodePlatforms[system];
  return platform === process.platform && nodeArchitectures[machine] === process.arch;
}

/**
 * The program for that machine: this machine's own where both are alike, or a prebuilt one.
 * @returns it, or why there is none.
 */
export function programFor(system: System, path: string, { root }: Paths): StoredFile | string {
  const musl = system.libc === "musl";
  const alike = isLike(system) && musl === existsSync("/etc/alpine-release");
  const found = alike ? path : prebuiltFor(system, basename(path), root);
  if (existsSync(found)) return programAt(found);
  const ours = `${process.platform} ${process.arch}`;
  return (
    `it runs ${system.system} ${system.machine} (${system.libc}), and there is no ` +
    `${basename(path)} for it here, only for ${ours}: install the published package, which has ` +
    `prebuilt programs, or put one at ${found.slice(root.length + 1)}`
  );
}

function prebuiltFor({ system, machine, libc }: System, path: string, root: string): string {
  const name = path.replace(/\.(musl|glibc)$/, "");
  const platform = nodePlatforms[system] ?? system.toLowerCase();
  const tag = platform !== "linux" ? "" : libc === "musl" ? ".musl" : ".glibc";
  const folder = `${platform}-${nodeArchitectures[machine] ?? machine}`;
  return join(root, "prebuilds", folder, `${name}${tag}`);
}

function programAt(path: string): StoredFile {
  const bytes = readFileSync(path);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  return { file: `${basename(path).replace(/\.(musl|glibc)$/, "")}-${hash}`, bytes };
}
