// Compiles native/ under a sanitizer, without node-gyp: every file that a folder holds, and of
// these only what is stale.
//
// An object's key is a digest of its command line, the compiler's version and the content of every
// file of ours that it was made from (-MMD), so times of files mean nothing.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

const [compiler = "g++", ...compilerFlags] = (process.env.CXX || "g++").split(/\s+/);
const kqueue = process.env.IO_SELECTORS_KQUEUE_PREFIX ?? "";
const parallel = 2;

const common = [
  ...compilerFlags,
  ..."-std=c++17 -fno-exceptions -fno-rtti -O1 -g1 -fno-omit-frame-pointer -pthread".split(" "),
  ..."-Wall -Wextra -Wpedantic -Wconversion -Werror -fPIC -fvisibility=hidden".split(" "),
  // std::vector checks its bounds, and marks what it has reserved and not filled as out of them.
  ..."-D_GLIBCXX_ASSERTIONS -D_GLIBCXX_SANITIZE_VECTOR".split(" "),
  // Few lives of connections, so that tests reach the last one (native/proactor/rings.h).
  "-DIO_SELECTORS_MOST_LIVES=20000",
  ...(kqueue === "" ? [] : ["-DIO_SELECTORS_LIBKQUEUE", `-I${kqueue}/include/kqueue`]),
  ..."-Inative -Itest".split(" "),
];

const linked = kqueue === "" ? [] : [`-L${kqueue}/lib`, "-lkqueue", `-Wl,-rpath,${kqueue}/lib`];

/** @typedef {"address" | "thread"} Sanitizer */
const flags = {
  // vptr needs RTTI, which this code does without.
  address: [
    "-fsanitize=address,undefined,float-cast-overflow,float-divide-by-zero",
    ..."-fno-sanitize=vptr -fno-sanitize-recover=all".split(" "),
  ],
  thread: ["-fsanitize=thread"],
};

/** A finding ends a program with this code, which none of ours has. */
export const foundSomething = 66;

/** What the programs' environment says to the sanitizers' runtimes. */
export const environment = {
  ...process.env,
  ASAN_OPTIONS: [
    `exitcode=${foundSomething}`,
    // Mach-O and musl have no leak checker.
    `detect_leaks=${process.platform === "linux" ? 1 : 0}`,
    "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1",
    "print_legend=0",
  ].join(":"),
  UBSAN_OPTIONS: `print_stacktrace=1:exitcode=${foundSomething}`,
  TSAN_OPTIONS: `exitcode=${foundSomething}:halt_on_error=1:second_deadlock_stack=1`,
};

/** Every C++ file of a folder, as it is now: files come and go without being listed anywhere. */
export function sourcesOf(folder, { without = [] } = {}) {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".cc") && !without.includes(name))
    .sort()
    .map((name) => `${folder}/${name}`);
}

export const folderOf = (sanitizer) => join(root, "build", "sanitize", sanitizer);

/** @returns {string} the compiler's name and version; ends the process if there is none. */
function compilerVersion() {
  const asked = spawnSync(compiler, ["--version"], { encoding: "utf8" });
  if (asked.status === 0) return asked.stdout;
  throw new Error(`there is no C++ compiler "${compiler}": install g++, or set CXX`);
}

const packages =
  "Debian and Ubuntu: libgcc-<version>-dev with libasan, libubsan and libtsan, which g++ depends " +
  "on; Fedora: libasan libubsan libtsan; clang: compiler-rt; musl has none";

/**
 * Whether programs of that sanitizer can be made and run here.
 * @returns {string[]} what to start them with: nothing, or what switches address randomization off,
 * which old runtimes need under kernels that randomize more bits than they know of
 * @throws {Error} where its runtime is missing, saying what to install
 */
export function probe(sanitizer) {
  compilerVersion();
  const folder = folderOf(sanitizer);
  mkdirSync(folder, { recursive: true });
  const source = join(folder, "probe.cc");
  const program = join(folder, "probe");
  writeFileSync(source, "int main() { return 0; }\n");
  const made = spawnSync(
    compiler,
    [...compilerFlags, ...flags[sanitizer], "-pthread", source, "-o", program],
    { encoding: "utf8" },
  );
  if (made.status !== 0) {
    throw new Error(`${compiler} cannot link ${flags[sanitizer][0]} (${packages})\n${made.stderr}`);
  }
  for (const prefix of [[], ["setarch", "-R"]]) {
    const [file, ...args] = [...prefix, program];
    if (spawnSync(file, args, { env: environment }).status === 0) return prefix;
  }
  throw new Error(`a program made with ${flags[sanitizer][0]} does not start here`);
}

/** One source: where it becomes an object, and how. */
function unit(sanitizer, source, extra) {
  const object = join(folderOf(sanitizer), `${source.replaceAll("/", "+")}.o`);
  const args = [...common, ...flags[sanitizer], ...extra, "-MMD", "-c", source, "-o", object];
  return { source, object, args, dependencies: object.replace(/\.o$/, ".d") };
}

/** @returns {string} the digest that a fresh object would have; "" if it cannot be told. */
function keyOf({ args, dependencies }, version) {
  if (!existsSync(dependencies)) return "";
  const hash = createHash("sha256").update([version, ...args].join("\0"));
  const files = readFileSync(dependencies, "utf8").replace(/^[^:]*:/, "");
  for (const file of files.split(/[\s\\]+/).filter((name) => name !== "")) {
    if (!existsSync(join(root, file))) return "";
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

function isFresh(object, key) {
  const stamp = `${object}.key`;
  if (key === "" || !existsSync(object) || !existsSync(stamp)) return false;
  return readFileSync(stamp, "utf8") === key;
}

function runCompiler(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(compiler, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error("it does not compile")),
    );
  });
}

async function compileStale(units, version) {
  const stale = units.filter((one) => !isFresh(one.object, keyOf(one, version)));
  if (stale.length === 0) return;
  console.error(`sanitize: compiling ${stale.length} of ${units.length} files`);
  const queue = stale[Symbol.iterator]();
  const work = async () => {
    for (const one of queue) {
      await runCompiler(one.args);
      writeFileSync(`${one.object}.key`, keyOf(one, version));
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
}

async function linkIfStale({ file, objects, args }) {
  const hash = createHash("sha256").update(args.join("\0"));
  for (const object of objects) hash.update(readFileSync(`${object}.key`));
  const key = hash.digest("hex");
  if (isFresh(file, key)) return;
  await runCompiler([...objects, ...args, "-o", file]);
  writeFileSync(`${file}.key`, key);
}

/**
 * Brings programs up to date.
 * @param {{ sanitizer: Sanitizer, name: string, sources: string[], flagsOf?: (source: string) =>
 * string[], linkFlags?: string[] }[]} programs
 * @returns {Promise<string[]>} their paths, in the same order
 */
export async function build(programs) {
  const version = compilerVersion();
  const units = new Map();
  const plans = programs.map(({ sanitizer, name, sources, flagsOf, linkFlags = [] }) => {
    const objects = sources.map((source) => {
      const one = unit(sanitizer, source, flagsOf?.(source) ?? []);
      units.set(one.object, one);
      return one.object;
    });
    const args = [...flags[sanitizer], "-pthread", ...linkFlags, ...linked];
    return { file: join(folderOf(sanitizer), name), objects, args };
  });
  for (const { file } of plans) mkdirSync(dirname(file), { recursive: true });
  await compileStale([...units.values()], version);
  for (const plan of plans) await linkIfStale(plan);
  return plans.map(({ file }) => file);
}

/** A library of the compiler's own, by its file name; undefined if it has none. */
export function runtimeLibrary(name) {
  const asked = spawnSync(compiler, [`-print-file-name=${name}`], { encoding: "utf8" });
  const path = asked.stdout?.trim() ?? "";
  return path !== name && existsSync(path) ? path : undefined;
}
