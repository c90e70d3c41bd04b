// The addon under AddressSanitizer and UBSan: built against Node's headers, loaded by a Node that
// has the runtime preloaded, and put through the library's own tests.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { environment, root, runtimeLibrary, sourcesOf } from "./compile.mjs";
import { run } from "./processes.mjs";

/** The tests of whatever reaches native code, and none of those that start programs. */
const tests =
  "selector backends socket descriptors wait workers reactor event-loop stale-descriptors " +
  "arguments serve streams connect connection-turns connection-fuzz";

/** Where node_api.h and uv.h are, or undefined. */
function nodeHeaders() {
  const config = join(root, "build", "config.gypi");
  const told = existsSync(config) ? readFileSync(config, "utf8") : "";
  const folders = [
    join(dirname(process.execPath), ".."),
    /"nodedir": "([^"]+)"/.exec(told)?.[1] ?? "",
    join(homedir(), ".cache", "node-gyp", process.versions.node),
  ];
  return folders
    .map((folder) => join(folder, "include", "node"))
    .find((folder) => existsSync(join(folder, "node_api.h")) && existsSync(join(folder, "uv.h")));
}

/** Why the addon cannot be run here; undefined if it can. */
export function obstacle() {
  if (process.platform !== "linux")
    return "only the dynamic loader of Linux is known to this script";
  if (runtimeLibrary("libasan.so") === undefined)
    return "the compiler has no libasan.so to preload";
  if (nodeHeaders() === undefined) return 'there are no headers of Node: run "npm run build"';
  return undefined;
}

/** What compile.mjs needs to know. */
export function addonProgram(core) {
  const api = createRequire(join(root, "package.json"))("node-addon-api").include_dir;
  const extra = [
    "-DNAPI_VERSION=9",
    "-DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS",
    "-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
  ];
  const headers = ["-isystem", api, "-isystem", nodeHeaders()];
  return {
    sanitizer: "address",
    name: "io_selectors.node",
    sources: [...core, ...sourcesOf("native/addon")],
    flagsOf: (source) => (source.startsWith("native/addon/") ? [...extra, ...headers] : []),
    linkFlags: ["-shared"],
  };
}

/** @returns {Promise<{ code: number | string, summary: string, output: string }>} */
export async function testAddon(addon) {
  const env = {
    ...environment,
    // Node keeps what it has allocated to its end, and V8's heap is not searched for pointers.
    ASAN_OPTIONS: `${environment.ASAN_OPTIONS}:detect_leaks=0`,
    LD_PRELOAD: runtimeLibrary("libasan.so"),
    NODE_OPTIONS: `--require=${JSON.stringify(join(root, "test", "native", "instead.cjs"))}`,
    IO_SELECTORS_ADDON: addon,
    NO_COLOR: "1",
  };
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const files = tests.split(" ").map((name) => `test/${name}.test.ts`);
  const { code, stdout, stderr } = await run(
    [process.execPath, vitest, "run", "--testTimeout=120000", "--maxWorkers=2", ...files],
    { env, cwd: root, timeoutMs: 300_000 },
  );
  const summary = /Tests +(.*)/.exec(stdout)?.[1]?.trim() ?? "no tests";
  return { code, summary, output: `${stdout}\n${stderr}` };
}
