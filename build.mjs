// Installs and builds what is missing or stale, then runs what was asked for:
//   node build.mjs build | bench [options] | micro [options] | test [--quick] [options] |
//     fuzz [options] | soak [options] | sanitize [parts] | node-versions [options] | docs |
//     prebuild [--as-built] | check | format
// Plain Node without dependencies, because it runs before there are any. Staleness is decided by
// the content of the inputs, not by their times, so a fresh checkout, a branch switch and a touched
// file all do the right thing.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
/** A folder with one file, which is named after the process that builds; the lock is free if empty. */
const lock = join(root, ".build-lock");
const bin = (name, entry) => join(root, "node_modules", name, entry);

function fail(message, status = 1) {
  console.error(`io-selectors: ${message}`);
  process.exit(status);
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || major === 21 || minor < ({ 20: 19, 22: 12 }[major] ?? 0)) {
  fail(`a clone needs Node.js 20.19, 22.12 or newer; this is ${process.versions.node}`);
}

/** What make(1) and binding.gyp take from the environment. */
const compilerVariables =
  "CC CXX CPPFLAGS CXXFLAGS LDFLAGS IO_SELECTORS_WERROR IO_SELECTORS_KQUEUE_PREFIX".split(" ");
const libc = existsSync("/etc/alpine-release") ? ".musl" : ".glibc"; // as node-gyp-build has it
const libcTag = process.platform === "linux" ? libc : "";
/** A folder may be mounted in a container, or shared with another machine. */
const platform = `${process.platform} ${process.arch}${libcTag}`;
/** What compiled native/, for bench/host/provenance.ts. */
const compilerRecord = "build/Release/compiler.json";

/** What can be stale: its inputs, the outputs that must exist, and how to make it again. */
const steps = [
  {
    name: "dependencies",
    label: "installing dependencies (npm ci)",
    inputs: ["package-lock.json", ".npmrc"],
    outputs: ["node_modules/typescript-native", "node_modules/vitest", "node_modules/node-gyp"],
    // Not all of package.json: a new script installs nothing.
    variant: () => {
      const { dependencies, devDependencies } = readJson("package.json");
      return JSON.stringify({ dependencies, devDependencies, platform });
    },
    make: () => run("npm", ["ci", "--loglevel=error"], { quiet: true }),
  },
  {
    name: "native",
    label: "compiling native/ (node-gyp; about a minute the first time)",
    inputs: ["build.mjs", "binding.gyp", "native"],
    outputs: [
      "build/Release/io_selectors.node",
      "build/Release/echo-server",
      "build/Release/load-generator",
      "build/Release/micro-baseline",
      compilerRecord,
    ],
    variant: () =>
      [builtFor(), ...compilerVariables.map((name) => process.env[name] ?? "")].join("\0"),
    make: compileNative,
  },
  {
    name: "typescript",
    label: "compiling src/, bench/ and examples/ (tsc)",
    inputs: ["build.mjs", "tsconfig.json", "src", "bench", "examples", "package-lock.json"],
    outputs: ["dist/src/index.js", "dist/bench/cli.js", "dist/bench/web/page.js"],
    make: compileTypeScript,
  },
];

const readJson = (name) => JSON.parse(readFileSync(join(root, name), "utf8"));
/** What make(1) does not see: it compares times of sources, and commands. */
const builtFor = () => {
  const { version } = readJson("package-lock.json").packages["node_modules/node-addon-api"];
  return [platform, process.versions.modules, version].join(" ");
};

async function compileNative() {
  const headers = join(dirname(process.execPath), "..");
  const local = existsSync(join(headers, "include", "node", "node_api.h"));
  const before = existsSync(join(root, compilerRecord)) ? readJson(compilerRecord).builtFor : null;
  const args = [
    bin("node-gyp", "bin/node-gyp.js"),
    // Configured again each time: binding.gyp asks the environment, too.
    ...(before === builtFor() ? ["configure", "build"] : ["rebuild"]),
    "--loglevel=error",
    "--jobs=max",
    ...(local ? [`--nodedir=${headers}`] : []),
  ];
  await run(process.execPath, args, { quiet: true });
  const { CXX = process.platform === "linux" ? "g++" : "c++", CPPFLAGS, CXXFLAGS } = process.env;
  const { stdout } = spawnSync(`${CXX} --version`, { shell: true, encoding: "utf8" });
  const [version] = stdout.split("\n");
  const record = { version, flags: [CPPFLAGS, CXXFLAGS].join(" "), builtFor: builtFor() };
  writeFileSync(join(root, compilerRecord), JSON.stringify(record));
}

/** Into a new folder that then replaces the old one: running programs keep their files. */
async function compileTypeScript() {
  const [dist, fresh, old] = ["dist", ".dist-new", ".dist-old"].map((name) => join(root, name));
  for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  await tsc("--project", root, "--outDir", fresh);
  const web = (name) => join("bench", "web", name);
  for (const page of ["page", "live"]) {
    const output = { file: join(fresh, web(`${page}.js`)), format: "iife", minify: true };
    await bundle(join(root, web(`${page}.ts`)), output, "browser");
  }
  for (const file of [join(fresh, "src", "index.js"), join(fresh, "bench", "cli.js")]) {
    await bundle(file, { file, format: "esm", sourcemap: true }, "node");
  }
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
}

/**
 * As one file: the programs of pages, and the library and the command line, which Node loads in half
 * of the time that a file per module takes. The library stays outside of the command line.
 */
async function bundle(input, output, platform) {
  const { build } = await import("rolldown");
  await build({ input, external: /\.\.\/src\/index\.js$/, platform, output, logLevel: "warn" });
}

/** A digest over the names and contents of files and folders, in name order. */
function digest(paths, variant) {
  const hash = createHash("sha256").update(variant);
  const visit = (path) => {
    const full = join(root, path);
    let entries;
    try {
      entries = readdirSync(full).sort();
    } catch (error) {
      if (error.code === "ENOENT") return;
      if (error.code !== "ENOTDIR") throw error;
      hash.update(`\0${path}\0`).update(readFileSync(full));
      return;
    }
    for (const entry of entries) visit(join(path, entry));
  };
  for (const path of paths) visit(path);
  return hash.digest("hex");
}

/**
 * Stamps are in node_modules/.cache, so that removing the installed packages removes the stamps,
 * too, and everything is built again.
 */
const stampOf = (name) => join(root, "node_modules", ".cache", "io-selectors", `${name}.sha256`);

/** The digest that the stamp of a step has to contain, or null if it contains that. */
function wantedOf({ name, inputs, outputs, variant }) {
  const wanted = digest(inputs, variant?.() ?? "");
  const built = outputs.every((output) => existsSync(join(root, output)));
  const stamp = stampOf(name);
  return built && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted ? null : wanted;
}

/**
 * Takes the lock, unless another process has it. rename(2) replaces a folder only if it is empty,
 * so that one of several processes succeeds. @returns the process that has it, or null.
 */
function lockOrHolder() {
  const mine = `${lock}-${process.pid}`;
  try {
    mkdirSync(mine);
  } catch (error) {
    if (error.code !== "EEXIST") fail(`cannot build in ${root}: ${error.message}`);
  }
  writeFileSync(join(mine, String(process.pid)), "");
  try {
    renameSync(mine, lock);
    return null;
  } catch (error) {
    rmSync(mine, { recursive: true });
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  }
  const [holder] = readdirSync(lock);
  if (holder !== undefined && isAlive(Number(holder))) return holder;
  // Only the file of a process that was killed: the folder may be another's by now.
  if (holder !== undefined) rmSync(join(lock, holder), { force: true });
  return lockOrHolder();
}

/** Whether another process has this id; EPERM: it has, and belongs to another user. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Waits for another build in this clone, and has the lock until unlock() or until this process ends. */
async function waitForLock() {
  let named;
  for (let holder = lockOrHolder(); holder !== null; holder = lockOrHolder()) {
    if (holder !== named) {
      const otherwise = `if that is no build, remove ${lock}`;
      console.error(`io-selectors: waiting for the build of process ${holder} (${otherwise})`);
      named = holder;
    }
    await setTimeout(100);
  }
  process.once("exit", unlock);
}

function unlock() {
  process.off("exit", unlock);
  rmSync(join(lock, String(process.pid)), { force: true });
}

async function bringUpToDate() {
  if (steps.every((step) => wantedOf(step) === null)) return;
  await waitForLock();
  for (const step of steps) {
    const wanted = wantedOf(step);
    if (wanted === null) continue;
    const stamp = stampOf(step.name);
    console.error(`io-selectors: ${step.label}`);
    rmSync(stamp, { force: true });
    const started = Date.now();
    await step.make();
    const missing = step.outputs.find((output) => !existsSync(join(root, output)));
    if (missing !== undefined) fail(`${step.label}: no ${missing}; remove node_modules and build/`);
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(stamp, wanted);
    console.error(`io-selectors: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
  unlock();
}

/**
 * Runs a command; its failure ends this process with its exit code, and our signals reach it.
 * `quiet` keeps what it says on standard output for the case that it fails.
 */
function run(command, args, { quiet = false, env = process.env } = {}) {
  return new Promise((resolve) => {
    const stdio = ["inherit", quiet ? "pipe" : "inherit", "inherit"];
    const child = spawn(command, args, { cwd: root, env, stdio });
    const said = [];
    child.stdout?.on("data", (bytes) => said.push(bytes));
    const forward = (signal) => child.kill(signal);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, forward);
    const settle = (code) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(signal, forward);
      if (code === 0) return resolve();
      writeFileSync(process.stderr.fd, Buffer.concat(said));
      process.exit(code);
    };
    child.on("error", (error) => {
      console.error(`io-selectors: cannot run ${command}: ${error.message}`);
      settle(1);
    });
    child.on("close", (code, signal) => settle(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/** In this process, not a child: one process for the terminal's and npm's signals to reach. */
async function runHere(program, args) {
  process.argv = [process.execPath, program, ...args];
  await import(pathToFileURL(program).href);
}

/** A test program. The soak's memory is what is left after a collection. */
const runTest = (program, args) =>
  run(process.execPath, ["--expose-gc", "--import", "./test/typescript.mjs", program, ...args]);

/** Every C++ file, for clang-format. */
function nativeSources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return nativeSources(path);
    return /\.(cc|h)$/.test(entry.name) ? [path] : [];
  });
}

const clangFormat = (flags) =>
  run(process.execPath, [
    bin("@wasm-fmt/clang-format", "clang-format-cli.cjs"),
    ...flags,
    ...["native", "test/native"].flatMap(nativeSources),
  ]);
const typedoc = (...args) => run(process.execPath, [bin("typedoc", "bin/typedoc"), ...args]);
/** TypeScript 7, in native code; typedoc needs the API of TypeScript 6, the package typescript. */
const tsc = (...args) => run(process.execPath, [bin("typescript-native", "bin/tsc"), ...args]);
const biome = (...args) => run(process.execPath, [bin("@biomejs/biome", "bin/biome"), ...args]);

/**
 * Copies what was compiled to where an installed package looks for it: prebuilds/, in the layout of
 * prebuildify and node-gyp-build. The programs are in the same folder as the addon, with the C library
 * in their names if there are several. src/native.ts and bench/paths.ts look there.
 */
function prebuild() {
  if (process.env.IO_SELECTORS_KQUEUE_PREFIX) {
    fail("IO_SELECTORS_KQUEUE_PREFIX: would need that libkqueue elsewhere, too");
  }
  const folder = join(root, "prebuilds", `${process.platform}-${process.arch}`);
  mkdirSync(folder, { recursive: true });
  for (const [name, extension] of [
    ["io_selectors", ".node"],
    ["echo-server", ""],
    ["load-generator", ""],
  ]) {
    const copy = join(folder, `${name}${libcTag}${extension}`);
    copyFileSync(join(root, "build", "Release", `${name}${extension}`), copy);
    // Without their symbols they are a third smaller; without strip(1) they are as good.
    spawnSync("strip", [process.platform === "darwin" ? "-x" : "-s", copy], { stdio: "ignore" });
    chmodSync(copy, 0o755);
  }
}

/** `--quick`: only those that need no server (vitest.config.ts). */
function runTests(args) {
  const quick = args.includes("--quick");
  if (quick) process.env.IO_SELECTORS_TESTS = "quick";
  return runVitest(
    process.execPath,
    args.filter((arg) => arg !== "--quick"),
  );
}

/**
 * Without NODE_EXTRA_CA_CERTS: Node 20 reads that file at each start, which takes two thirds of the
 * CPU time of a start, and the tests start a thousand. Only the verdicts on Express ask a registry.
 */
function runVitest(node, args) {
  const { NODE_EXTRA_CA_CERTS: _, ...without } = process.env;
  const env = process.env.GATE_VERDICTS === undefined ? without : process.env;
  // Ctrl-C ends the tests before they can remove their folders.
  const TMPDIR = mkdtempSync(join(tmpdir(), "ios-")); // short: it is in the paths of Unix sockets
  process.once("exit", () => rmSync(TMPDIR, { recursive: true, force: true, maxRetries: 5 }));
  return run(node, [bin("vitest", "vitest.mjs"), "run", ...args], { env: { ...env, TMPDIR } });
}

/** The tests on each maintained Node, all on the addon as it stands: Node-API is stable. */
async function testOnNodeVersions(args) {
  for (const version of ["20", "22", "24"]) {
    const here = process.versions.node.split(".")[0] === version;
    const find = ["--yes", `--package=node@${version}`, "node", "--print", "process.execPath"];
    const found = here ? null : spawnSync("npx", find, { encoding: "utf8", cwd: root });
    const node = here ? process.execPath : found.stdout.trim();
    if (!existsSync(node)) fail(`npx could not install Node ${version}: ${found.stderr}`);
    console.error(`io-selectors: the tests on Node ${version} (${node})`);
    await runVitest(node, args);
  }
}

const commands = {
  build: async () => {},
  bench: (args) => runHere(join(root, "dist", "bench", "cli.js"), args),
  micro: (args) => runHere(join(root, "dist", "bench", "micro", "cli.js"), args),
  test: runTests,
  fuzz: (args) => runTest("test/fuzz/cli.ts", args),
  soak: (args) => runTest("test/soak/cli.ts", args),
  sanitize: (args) => run(process.execPath, ["test/native/run.mjs", ...args]),
  "node-versions": testOnNodeVersions,
  docs: () => typedoc(),
  prebuild: async () => prebuild(),
  check: async () => {
    await biome("check", "--error-on-warnings");
    await clangFormat(["--dry-run", "--Werror"]);
    for (const folder of ["test", join("bench", "web")]) await tsc("--project", join(root, folder));
    await typedoc("--emit", "none", "--logLevel", "Warn");
  },
  format: async () => {
    await biome("check", "--write");
    await clangFormat(["-i"]);
  },
};

const [command = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, command)) {
  fail(`unknown command "${command}"; one of: ${Object.keys(commands).join(", ")}`, 2);
}
// `prebuild --as-built` is for a test that must not build under the feet of others.
if (args[0] !== "--as-built") await bringUpToDate();
await commands[command](args);
