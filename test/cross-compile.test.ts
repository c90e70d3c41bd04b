// The native code compiles for macOS, whose kqueue no Linux machine can run: every file that the
// addon is made from, warnings as errors. It needs zig, whose C++ compiler has macOS's headers, on
// the PATH or in IO_SELECTORS_ZIG; without it the test is skipped.

import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";

const { root } = packagePaths();
const zig = process.env["IO_SELECTORS_ZIG"] ?? "zig";
const hasZig = spawnSync(zig, ["version"]).status === 0;
let folder = "";
const patienceMs = 20 * 60_000;
/** Compilers at a time. */
const width = 2;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-zig-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where node_api.h and uv.h are: beside this Node, or where node-gyp has found them. */
function nodeHeaders(): string | undefined {
  const config = join(root, "build", "config.gypi");
  const told = existsSync(config) ? readFileSync(config, "utf8") : "";
  const prefixes = [join(dirname(process.execPath), ".."), /"nodedir": "([^"]+)"/.exec(told)?.[1]];
  return prefixes
    .map((prefix) => join(prefix ?? "", "include", "node"))
    .find((path) => existsSync(join(path, "node_api.h")) && existsSync(join(path, "uv.h")));
}

const headers = nodeHeaders();
const napi = dirname(createRequire(import.meta.url).resolve("node-addon-api/package.json"));
const flags = [
  ..."-std=c++17 -fno-exceptions -fno-rtti -Wall -Wextra -Wpedantic -Wconversion -Werror".split(
    " ",
  ),
  ..."-DNAPI_VERSION=9 -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS -c -I".split(" "),
  join(root, "native"),
  ...["-isystem", napi, "-isystem", headers ?? ""],
];

const folders = ["core", "backends", "net", "proactor", "addon"];
const sources = folders.flatMap((name) =>
  readdirSync(join(root, "native", name))
    .filter((file) => file.endsWith(".cc"))
    .map((file) => join(root, "native", name, file)),
);

/** @returns what the compiler reports; empty if it is content. */
async function compile(target: string, source: string, object: string): Promise<string> {
  const caches = { ZIG_GLOBAL_CACHE_DIR: folder, ZIG_LOCAL_CACHE_DIR: folder };
  const words = ["c++", "-target", target, ...flags, "-o", object, source];
  try {
    await promisify(execFile)(zig, words, { env: { ...process.env, ...caches } });
    return "";
  } catch (error) {
    return `${source}: ${(error as { stderr?: string }).stderr ?? error}`;
  }
}

const possible = hasZig && headers !== undefined;

describe.skipIf(!possible)(`with ${zig}`, () => {
  it.each(["aarch64-macos", "x86_64-macos"])(
    "the addon's sources compile for %s without a warning",
    async (target) => {
      const left = [...sources];
      const complaints: string[] = [];
      const work = async (index: number) => {
        for (let source = left.pop(); source !== undefined; source = left.pop()) {
          complaints.push(await compile(target, source, join(folder, `${index}.o`)));
        }
      };
      await Promise.all(Array.from({ length: width }, (_, index) => work(index)));
      expect(complaints.filter((text) => text !== "")).toEqual([]);
      expect(complaints).toHaveLength(sources.length);
    },
    patienceMs,
  );
});
