// Several builds at once in one clone, by build.mjs itself over tools that only note what they do.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";

let clone = "";
let running: ChildProcess[] = [];

function write(name: string, text: string): void {
  mkdirSync(dirname(join(clone, name)), { recursive: true });
  writeFileSync(join(clone, name), text);
}

/**
 * A tool notes its begin and end and makes the outputs; it lasts until the file "go" exists, and
 * fails if "broken" does.
 */
const tool = (name: string, outputs: string) => `#!/usr/bin/env node
const { appendFileSync, cpSync, existsSync, mkdirSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const clone = ${JSON.stringify(clone)};
const note = (word) => appendFileSync(join(clone, "notes"), word + " ${name}\\n");
note("begin");
const timer = setInterval(() => {
  if (existsSync(join(clone, "broken"))) process.exit(9);
  if (!existsSync(join(clone, "go"))) return;
  clearInterval(timer);
  for (const output of ${outputs}) {
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, "");
  }
  note("end");
}, 5);
`;

const files = (folder: string, names: readonly string[]) =>
  `${JSON.stringify(names)}.map((name) => join(clone, ${JSON.stringify(folder)}, name))`;

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), "build-lock-"));
  copyFileSync(join(packagePaths().root, "build.mjs"), join(clone, "build.mjs"));
  write("package.json", "{}");
  const version = { version: "1.0.0" };
  write(
    "package-lock.json",
    JSON.stringify({ packages: { "node_modules/node-addon-api": version } }),
  );
  const installed = ["vitest/x", "node-gyp/x", "typescript-native/x"];
  write("tools/npm", tool("npm", files("node_modules", installed)));
  chmodSync(join(clone, "tools", "npm"), 0o755);
  const programs = ["io_selectors.node", "echo-server", "load-generator", "micro-baseline"];
  write(
    "node_modules/node-gyp/bin/node-gyp.js",
    tool("node-gyp", files("build/Release", programs)),
  );
  const compiled = ["src/index.js", "bench/cli.js", "bench/web/page.js"];
  const into = `${JSON.stringify(compiled)}.map((name) => join(process.argv.at(-1), name))`;
  write("node_modules/typescript-native/bin/tsc", tool("tsc", into));
  write("node_modules/rolldown/bin/cli.mjs", "");
  write("node_modules/rolldown/index.js", "exports.build = async () => {};");
});

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running = [];
  rmSync(clone, { recursive: true });
});

interface Build {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  said(): string;
}

function build(environment: NodeJS.ProcessEnv = {}): Build {
  const path = `${join(clone, "tools")}:${process.env["PATH"]}`;
  const child = spawn(process.execPath, [join(clone, "build.mjs"), "build"], {
    env: { ...process.env, PATH: path, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.push(child);
  let text = "";
  child.stderr?.setEncoding("utf8").on("data", (more: string) => {
    text += more;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, said: () => text };
}

const notes = () => {
  const file = join(clone, "notes");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
};

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}

const notesOf = (names: readonly string[]) =>
  names.flatMap((name) => [`begin ${name}`, `end ${name}`]);
const steps = notesOf(["npm", "node-gyp", "tsc"]);

it("builds once if several builds start at once in a fresh clone", async () => {
  const builds = [build(), build(), build()];
  // All have begun: one builds, and each other waits, or has begun a step as well.
  await until(
    () => notes().length + builds.filter(({ said }) => /waiting/.test(said())).length >= 3,
  );
  write("go", "");
  expect(await Promise.all(builds.map(({ ended }) => ended))).toEqual([0, 0, 0]);
  expect(notes()).toEqual(steps);
  const builder = builds.find(({ said }) => said().includes("installing"));
  const waiting =
    `io-selectors: waiting for the build of process ${builder?.child.pid} ` +
    `(if that is no build, remove ${join(clone, ".build-lock")})\n`;
  for (const other of builds.filter((each) => each !== builder)) {
    expect(other.said().startsWith(waiting)).toBe(true);
    expect(other.said()).not.toContain("installing");
  }
  expect(readdirSync(clone).filter((name) => name.startsWith(".build-lock-"))).toEqual([]);
});

it("takes no lock if nothing is stale", async () => {
  write("go", "");
  expect(await build().ended).toBe(0);
  write(`.build-lock/${process.pid}`, ""); // a process that lives, and does not end
  expect(await build().ended).toBe(0);
  expect(notes()).toEqual(steps);
});

it("takes the lock of a build that was killed", async () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  write(`.build-lock/${pid}`, "");
  write("go", "");
  const { ended, said } = build();
  expect(await ended).toBe(0);
  expect(said()).not.toContain("waiting");
  expect(notes()).toEqual(steps);
});

it("builds after another build has failed, and both say how it ended", async () => {
  const first = build();
  await until(() => notes().length > 0);
  const second = build();
  await until(() => second.said().includes("waiting") || notes().length > 1);
  write("broken", "");
  expect(await first.ended).toBe(9);
  expect(await second.ended).toBe(9);
  expect(notes()).toEqual(["begin npm", "begin npm"]);
});

it("compiles again for another build.mjs, compiler flags or linker flags", async () => {
  write("go", "");
  expect(await build({ CXXFLAGS: "-O1" }).ended).toBe(0);
  const record = readFileSync(join(clone, "build", "Release", "compiler.json"), "utf8");
  expect(JSON.parse(record)).toMatchObject({ flags: expect.stringContaining("-O1") });
  expect(await build({ LDFLAGS: "-s" }).ended).toBe(0);
  appendFileSync(join(clone, "build.mjs"), "// changed");
  expect(await build({ LDFLAGS: "-s" }).ended).toBe(0);
  expect(notes()).toEqual([...steps, ...notesOf(["node-gyp", "node-gyp", "tsc"])]);
});

/** Runs `code` in the build's process before build.mjs. */
const before = (code: string) => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}`,
});

it("says in one line what it cannot do without", async () => {
  for (const node of ["20.18.3", "21.7.3", "22.11.0"]) {
    const old = build(
      before(`Object.defineProperty(process, "versions", { value: { node: "${node}" } })`),
    );
    expect(await old.ended).toBe(1);
    const needed = "a clone needs Node.js 20.19, 22.12 or newer";
    expect(old.said()).toBe(`io-selectors: ${needed}; this is ${node}\n`);
  }
  const readOnly = build(
    before(`import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      fs.mkdirSync = () => {
        throw Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" });
      };
      syncBuiltinESMExports();`),
  );
  expect(await readOnly.ended).toBe(1);
  const sentence = `cannot build in ${clone}: EROFS: read-only file system`;
  expect(readOnly.said()).toBe(`io-selectors: ${sentence}\n`);
});
