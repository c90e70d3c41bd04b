// The floors: peer:bare-epoll inside Node, without JavaScript and with one call of an empty
// function per wait. A server of this library cannot cost less than the last of them.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Contender } from "../../bench/contenders/catalogue.ts";
import { compile, programFolder, type Recipe } from "../../bench/contenders/compile-peer.ts";
import type { Paths } from "../../bench/paths.ts";

/** By the number that node-floor.c knows it by. */
const calls = ["no-call", "napi_call_function", "napi_make_callback"];

const headers = join(dirname(process.execPath), "..", "include", "node");

const recipeOf = (paths: Paths): Recipe => ({
  name: "node-floor",
  paths,
  tool: { program: "cc", version: process.version },
  sources: ["bare-epoll.c", join("..", "..", "..", "test", "programs", "node-floor.c")],
  build: ({ program }, out) => [
    [
      ...[program, "-O2", "-shared", "-fPIC", "-I", headers, "-I", "."],
      ...["-o", join(out, "floor.node"), join(paths.root, "test", "programs", "node-floor.c")],
    ],
  ],
});

export const floors: readonly Contender[] = calls.map((call, kind) => ({
  name: `floor:${call}`,
  runtime: "foreign",
  strategy: call,
  concurrency: "single",
  platforms: ["linux"],
  summary: "bare epoll inside Node",
  command: (paths) => {
    const addon = join(programFolder(recipeOf(paths)), "floor.node");
    return [paths.node, "-e", `require(${JSON.stringify(addon)}).serve(${kind}, () => {})`];
  },
  missing: () =>
    existsSync(join(headers, "node_api.h")) ? null : `no headers of Node in ${headers}`,
  prepare: (paths) => compile(recipeOf(paths)),
}));
